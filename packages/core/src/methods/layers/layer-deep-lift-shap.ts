import { z } from 'zod';
import { baselineSamples } from '../gradients/deep-lift-shap.ts';
import { addingUp, multiplierSums, rescaleExceptions } from '../gradients/multipliers.ts';
import { defineMethod } from '../method.ts';
import { type CamParams, layerOutput, mapOnly, mapParams } from '../shared/cam.ts';

/**
 * Layer DeepLIFT SHAP: layer DeepLIFT averaged over the baselines of `deep-lift-shap`. [N, C, h, w] under
 * Captum's convention; else the sum over channels as a map.
 *
 * @see `LayerDeepLiftShap` of Captum; Lundberg & Lee, 2017
 * @example createExplainer(classifier, { method: 'layer-deep-lift-shap', layers: ['-1'] }, runtime)
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
  deviations: { captum: 'As deep-lift.' },
  logitsOnly: true,
  parameters: z.strictObject(mapParams),
  only: mapOnly,
  sampled: true,
  aux: ['baselines'],
  explain(subject, setting) {
    const samples = baselineSamples(setting, subject.aux);
    const { total, from } = multiplierSums(subject, samples, ({ baselines }) => baselines, setting, 'layer');
    subject.addsUp(total, () => from);
    return layerOutput([total], setting);
  },
});
