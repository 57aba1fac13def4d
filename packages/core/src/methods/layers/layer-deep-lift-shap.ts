import { z } from 'zod';
import { sum } from '../../onnx/emit.ts';
import { baselineSamples, besideBaselines } from '../gradients/deep-lift-shap.ts';
import { addingUp, layerMultiplierSums, rescaleExceptions } from '../gradients/multipliers.ts';
import { defineMethod } from '../method.ts';
import { type CamParams, camDefaults, camOnly, camOutput, camParams } from '../shared/cam.ts';

/**
 * Layer DeepLIFT SHAP: layer DeepLIFT averaged over baselines, which are those of `deep-lift-shap`. [N, C, h, w] under
 * Captum's convention; else the sum over channels as a map.
 *
 * @see `LayerDeepLiftShap` of Captum; Lundberg & Lee, 2017
 */
export const layerDeepLiftShap = defineMethod<CamParams>({
  id: 'layer-deep-lift-shap',
  title: 'Layer DeepLIFT SHAP',
  summary: 'Layer DeepLIFT averaged over several baselines.',
  paper: 'https://arxiv.org/abs/1705.07874',
  version: '2',
  kind: 'map',
  axioms: ['completeness', 'linearity'],
  provided: { completeness: addingUp },
  exceptionsOf: rescaleExceptions,
  needs: ['gradient', 'layer'],
  singleLayer: true,
  conventions: ['paper', 'captum'],
  oddities: { captum: 'As deep-lift.' },
  logitsOnly: true,
  params: z.strictObject(camParams),
  defaults: camDefaults,
  only: camOnly,
  aux: ['baselines'],
  samples: baselineSamples,
  perSample: () => 2,
  rows: besideBaselines,
  each: layerMultiplierSums,
  finish: (g, _, { total }, setting) =>
    setting.convention === 'captum' ? total! : camOutput(g, [sum(g, total!, [1], false)], setting),
  reference: ({ from }) => from!,
  shares: (_g, _image, { total }) => total!,
});
