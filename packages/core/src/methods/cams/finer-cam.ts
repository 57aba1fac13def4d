import { z } from 'zod';
import { gradientRules } from '../../autodiff/gradient.ts';
import { appliedAll, type Expression } from '../../onnx/expression.ts';
import { defineMethod, type Subject } from '../method.ts';
import { camDefaults, camOnly, camOutput, evidenceMaps, evidenceParams } from '../shared/cam.ts';
import { evidenceOf } from './evidence.ts';

/**
 * Finer-CAM: distinguishes the target from the classes with the closest scores. The base map's gradient is that of
 *
 *     y_c - γ · mean_r y_r          (paper, torchcam)
 *     Σ_r p_r (y_c - α y_r) / (Σ_r p_r + 1e-9),   p = softmax(y)          (pytorch-grad-cam)
 *
 * over the num_references classes r whose scores are closest to the target's.
 *
 * @see Zhang et al., "Finer-CAM: Spotting the Difference Reveals Finer Details for Visual Explanation", 2025
 * @example
 * createExplainer(
 *   classifier,
 *   { method: 'finer-cam', parameters: { base: 'layer-cam', num_references: 2, gamma: 0.5 } },
 *   runtime,
 * )
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
  deviations: {
    'pytorch-grad-cam':
      'Similar classes are weighed by their probability and taken away whole (alpha 1); torchcam takes 0.6 of their mean.',
  },
  logitsOnly: true,
  oneClass: true,
  needsOtherClasses: true,
  parameters: z.strictObject({
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
  explain(subject, setting) {
    const { parameters, convention } = setting;
    const objective =
      convention === 'pytorch-grad-cam'
        ? likelihoodWeighted(subject, parameters)
        : plain(subject, parameters);
    // The choice of the closest classes is constant, not differentiated.
    const rules = { ...gradientRules, TopK: [null, null], OneHot: [null, null, null] };
    const seeds = new Map([[objective, objective.onesLike()]]);
    const gradients = subject.gradients(subject.layers, { seeds, rules });
    return camOutput(evidenceMaps(subject, setting, evidenceOf[parameters.base], gradients), setting);
  },
});

interface Finer {
  readonly num_references: number;
  readonly gamma: number;
  readonly alpha: number;
}

/** Gives y_c and a mask [N, classes] of the classes with the closest scores. */
function rivals({ logits, chosen }: Subject, wanted: number): { score: Expression; mask: Expression } {
  const classes = logits.shape[1]!;
  const count = Math.min(wanted, classes - 1);
  const score = logits.mul(chosen).sum([1]);
  const distance = logits.sub(score).abs().add(chosen.mul(1e30));
  const [, closest] = appliedAll('TopK', [distance, distance.ints([count])], { axis: 1, largest: 0 }, 2) as [
    Expression,
    Expression,
  ];
  return { score, mask: closest.oneHot(classes).sum([1], false).reshape([logits.shape[0]!, classes]) };
}

function plain(subject: Subject, { num_references, gamma }: Finer): Expression {
  const { score, mask } = rivals(subject, num_references);
  const mean = subject.logits
    .mul(mask)
    .sum([1])
    .div(mask.sum([1]));
  return score.sub(mean.mul(gamma));
}

function likelihoodWeighted(subject: Subject, { num_references, alpha }: Finer): Expression {
  const { score, mask } = rivals(subject, num_references);
  const likelihood = subject.logits.softmax().mul(mask);
  const gap = likelihood.mul(score.sub(subject.logits.mul(alpha)));
  return gap.sum([1]).div(likelihood.sum([1]).add(1e-9));
}
