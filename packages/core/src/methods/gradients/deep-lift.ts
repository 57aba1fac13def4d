import { z } from 'zod';
import { defineMethod } from '../method.ts';
import { type Baseline, baselineParam } from '../shared/baseline.ts';
import { addingUp, multiplierSums, oneBaseline, rescaleExceptions, sameBaseline } from './multipliers.ts';

/**
 * DeepLIFT, rescale rule: the score's difference from a baseline, shared out layer by layer, [N, C, H, W].
 *
 *     attribution = m ⊙ (x - x'),   m the product of multipliers: weights, and Δy/Δx of nonlinearities
 *
 * If two moving values are multiplied, divided or compared, each has its Shapley value, the change that it makes
 * averaged over both values of the other; Softmax and normalisations are made of these. Attributions add up to
 * y_c(x) - y_c(x') unless an operator on the way has no such rule, which is then named. Captum's do not if values
 * multiply, pooling windows overlap or a pool follows a ReLU: the captum convention gives Captum's numbers.
 *
 * @see Lundberg & Lee, "A Unified Approach to Interpreting Model Predictions", 2017, and SHAP's DeepExplainer
 * @see Shrikumar, Greenside & Kundaje, "Learning Important Features Through Propagating Activation Differences", 2017
 * @example createExplainer(classifier, { method: 'deep-lift', parameters: { baseline: 'blur' } }, runtime)
 */
export const deepLift = defineMethod<{ baseline: Baseline }>({
  id: 'deep-lift',
  title: 'DeepLIFT',
  summary:
    'How much each input value adds to the difference between the scores of the image and of a baseline.',
  paper: 'https://arxiv.org/abs/1704.02685',
  version: '2',
  kind: 'pixels',
  axioms: ['completeness', 'dummy', 'linearity'],
  provided: { completeness: addingUp },
  exceptionsOf: rescaleExceptions,
  needs: ['gradient'],
  conventions: ['paper', 'captum'],
  deviations: {
    captum:
      'Has the rule for ReLU, LeakyReLU, ELU, Sigmoid, Tanh and Softplus only, and the gradient for products, Softmax and normalisations; where pooling windows overlap the last counts; a max pool right behind one of these has its plain gradient. So attributions need not add up.',
  },
  logitsOnly: true,
  parameters: z.strictObject({ baseline: baselineParam }),
  sampled: true,
  explain(subject, setting) {
    const baselines = sameBaseline(subject.image, setting.parameters.baseline, setting);
    const { total, from } = multiplierSums(subject, oneBaseline, baselines, setting, 'image');
    subject.addsUp(total, () => from);
    return total;
  },
});
