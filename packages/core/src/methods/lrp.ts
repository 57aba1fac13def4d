import { z } from 'zod';
import { epsilonRules } from '../autodiff/relevance.ts';
import { mul } from '../onnx/emit.ts';
import { defineMethod } from './method.ts';

/**
 * Layer-wise relevance propagation, ε-rule: the score is shared out from layer to layer by what each value
 * contributed, [N, C, H, W].
 *
 *     R_i = Σ_j x_i w_ij R_j / (z_j + ε·sign(z_j)),   z = Wx + b
 *
 * Biases take relevance. As ε goes to 0 this becomes input × gradient for networks of ReLUs.
 *
 * @see Bach et al., "On Pixel-Wise Explanations for Non-Linear Classifier Decisions by Layer-Wise Relevance Propagation", 2015
 */
export const lrp = defineMethod({
  id: 'lrp',
  title: 'Layer-wise relevance propagation',
  summary: 'The score shared out backwards, from each layer to the one before, by contribution.',
  paper: 'https://doi.org/10.1371/journal.pone.0130140',
  version: '1',
  kind: 'pixels',
  needs: ['gradient'],
  conventions: ['paper', 'captum'],
  logitsOnly: true,
  params: z.strictObject({
    epsilon: z.number().positive().default(1e-9).describe('What small sums are held away from zero with'),
  }),
  build: ({ g, rows, gradients }, { params }) =>
    mul(g, rows, gradients([rows], { rules: epsilonRules(params.epsilon) })[0]!),
});
