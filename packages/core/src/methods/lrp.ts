import { z } from 'zod';
import { relevanceRules } from '../autodiff/relevance.ts';
import { mul } from '../onnx/emit.ts';
import { defineMethod } from './method.ts';

export const lrpParams = {
  epsilon: z.number().positive().default(1e-9).describe('What small sums are held away from zero with'),
  rule: z
    .enum(['epsilon', 'gamma', 'alpha1-beta0', 'identity'])
    .default('epsilon')
    .describe('How convolutions and linear layers share relevance out'),
  gamma: z.number().min(0).default(0.25).describe('rule=gamma: how much positive weights count besides'),
  first: z
    .int()
    .min(0)
    .default(0)
    .describe('How many of the first layers with weights have the rule, the rest have epsilon; 0 is all'),
};

/**
 * Layer-wise relevance propagation: the score is shared out from layer to layer by what each value contributed,
 * [N, C, H, W].
 *
 *     R_i = Σ_j x_i v_ij R_j / (z_j + ε·sign(z_j)),   z_j = Σ_i x_i v_ij + b_j
 *
 * v = w by the ε-rule, w + γ·max(w, 0) by the γ-rule, max(w, 0) by the α1β0-rule; by identity R_i = R_i. Biases take
 * relevance. As ε goes to 0 the ε-rule becomes input × gradient for networks of ReLUs. Another rule than ε is for
 * convolutions and linear layers, all or the first of them, as one sets `layer.rule` in Captum.
 *
 * @see Bach et al., "On Pixel-Wise Explanations for Non-Linear Classifier Decisions by Layer-Wise Relevance Propagation", 2015
 * @see Montavon et al., "Layer-Wise Relevance Propagation: An Overview", 2019
 */
export const lrp = defineMethod({
  id: 'lrp',
  title: 'Layer-wise relevance propagation',
  summary: 'The score shared out backwards, from each layer to the one before, by contribution.',
  paper: 'https://doi.org/10.1371/journal.pone.0130140',
  version: '1',
  kind: 'pixels',
  axioms: ['dummy', 'linearity'],
  needs: ['gradient'],
  conventions: ['paper', 'captum'],
  logitsOnly: true,
  params: z.strictObject(lrpParams),
  build: ({ g, rows, nodes, gradients }, { params }) =>
    mul(g, rows, gradients([rows], { rules: relevanceRules(nodes, params) })[0]!),
});
