import { z } from 'zod';
import {
  addingUp,
  multiplierSums,
  oneBaseline,
  rescaleExceptions,
  sameBaseline,
} from '../gradients/multipliers.ts';
import { defineMethod } from '../method.ts';
import { type Baseline, baselineParam } from '../shared/baseline.ts';
import { type CamParams, layerOutput, mapOnly, mapParams } from '../shared/cam.ts';

/**
 * Layer DeepLIFT: the score's difference from a baseline, shared out over a layer's values by the rescale rule.
 *
 *     attribution = m ⊙ (A(x) - A(x')),   m the product of the multipliers after the layer
 *
 * [N, C, h, w] under Captum's convention; else the sum over channels as a map.
 *
 * @see `LayerDeepLift` of Captum; Shrikumar, Greenside & Kundaje, 2017
 * @example
 * createExplainer(
 *   classifier,
 *   { method: 'layer-deep-lift', layers: ['-1'], parameters: { baseline: 0.5 } },
 *   runtime,
 * )
 */
export const layerDeepLift = defineMethod<CamParams & { readonly baseline: Baseline }>({
  id: 'layer-deep-lift',
  title: 'Layer DeepLIFT',
  summary:
    'How much each value of a layer adds to the difference between the scores of the image and of a baseline.',
  paper: 'https://arxiv.org/abs/1704.02685',
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
  parameters: z.strictObject({ ...mapParams, baseline: baselineParam }),
  only: mapOnly,
  sampled: true,
  explain(subject, setting) {
    const baselines = sameBaseline(subject.image, setting.parameters.baseline, setting);
    const { total, from } = multiplierSums(subject, oneBaseline, baselines, setting, 'layer');
    subject.addsUp(total, () => from);
    return layerOutput([total], setting);
  },
});
