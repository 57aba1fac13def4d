import { z } from 'zod';
import { gradientRules } from '../../autodiff/gradient.ts';
import type { Value } from '../../onnx/builder.ts';
import { div, mul, onesLike, reshape, scale, shift, sub, sum } from '../../onnx/emit.ts';
import { defineMethod, type Subject } from '../method.ts';
import { camDefaults, camOnly, camOutput, evidenceMaps, evidenceParams } from '../shared/cam.ts';
import { evidenceOf } from './evidence.ts';

/**
 * Finer-CAM: what tells the target from the classes that score most like it. Another map's gradient is taken of
 *
 *     y_c - γ · mean_r y_r          (paper, torchcam)
 *     Σ_r p_r (y_c - α y_r) / (Σ_r p_r + 1e-9),   p = softmax(y)          (pytorch-grad-cam)
 *
 * over the num_references classes r whose scores are closest to the target's.
 *
 * @see Zhang et al., "Finer-CAM: Spotting the Difference Reveals Finer Details for Visual Explanation", 2025
 */
export const finerCam = defineMethod({
  id: 'finer-cam',
  title: 'Finer-CAM',
  summary: 'What tells the class from the classes that the model finds most like it.',
  paper: 'https://arxiv.org/abs/2501.11309',
  version: '1',
  kind: 'map',
  needs: ['gradient', 'layer'],
  conventions: ['paper', 'torchcam', 'pytorch-grad-cam'],
  oddities: {
    'pytorch-grad-cam':
      'Similar classes are weighed by their probability and taken away whole (alpha 1); torchcam takes 0.6 of their mean.',
  },
  logitsOnly: true,
  oneClass: true,
  needsOtherClasses: true,
  params: z.strictObject({
    ...evidenceParams,
    base: z
      .enum(['grad-cam', 'grad-cam-plus-plus', 'layer-cam'])
      .default('grad-cam')
      .describe('The map whose gradient is changed'),
    num_references: z.int().min(1).default(3).describe('How many similar classes the target is told from'),
    gamma: z.number().min(0).default(0.6).describe('How much the similar classes are taken away'),
    alpha: z.number().min(0).default(1).describe('How much the similar classes are taken away'),
  }),
  defaults: camDefaults,
  only: { ...camOnly, gamma: ['paper', 'torchcam'], alpha: ['pytorch-grad-cam'] },
  build(subject, setting) {
    const { g, layers } = subject;
    const { params, convention } = setting;
    const objective =
      convention === 'pytorch-grad-cam' ? likelihoodWeighted(subject, params) : plain(subject, params);
    // Which classes are closest is settled, not differentiated.
    const rules = { ...gradientRules, TopK: [null, null], OneHot: [null, null, null] };
    const gradients = subject.gradients(layers, {
      seeds: new Map([[objective, onesLike(g, objective)]]),
      rules,
    });
    return camOutput(g, evidenceMaps(subject, setting, evidenceOf[params.base], gradients), setting);
  },
});

interface Finer {
  readonly num_references: number;
  readonly gamma: number;
  readonly alpha: number;
}

/** y_c and a mask [N, classes] of the classes with the closest scores. */
function rivals({ g, logits, chosen }: Subject, wanted: number): { score: Value; mask: Value } {
  const classes = g.shape(logits)[1]!;
  const count = Math.min(wanted, classes - 1);
  const score = sum(g, mul(g, logits, chosen), [1]);
  const distance = g.emit('Add', [g.emit('Abs', [sub(g, logits, score)]), scale(g, chosen, 1e30)]);
  const [, closest] = g.emitAll('TopK', [distance, g.ints([count])], { axis: 1, largest: 0 }, 2) as [
    Value,
    Value,
  ];
  const hot = g.emit('OneHot', [closest, g.ints([classes]), g.floats([2], [0, 1])]);
  return { score, mask: reshape(g, sum(g, hot, [1], false), [g.shape(logits)[0]!, classes]) };
}

function plain(subject: Subject, { num_references, gamma }: Finer): Value {
  const { g, logits } = subject;
  const { score, mask } = rivals(subject, num_references);
  const mean = div(g, sum(g, mul(g, logits, mask), [1]), sum(g, mask, [1]));
  return sub(g, score, scale(g, mean, gamma));
}

function likelihoodWeighted(subject: Subject, { num_references, alpha }: Finer): Value {
  const { g, logits } = subject;
  const { score, mask } = rivals(subject, num_references);
  const likelihood = mul(g, g.emit('Softmax', [logits], { axis: -1 }), mask);
  const gap = mul(g, likelihood, sub(g, score, scale(g, logits, alpha)));
  return div(g, sum(g, gap, [1]), shift(g, sum(g, likelihood, [1]), 1e-9));
}
