import { z } from 'zod';
import { defineMethod } from '../method.ts';

/**
 * Input × gradient: x ⊙ ∂y_c/∂x, [N, C, H, W].
 *
 * @see Shrikumar et al., "Not Just a Black Box: Learning Important Features Through Propagating Activation Differences", 2016
 * @example createExplainer(classifier, { method: 'input-x-gradient' }, runtime)
 */
export const inputXGradient = defineMethod({
  id: 'input-x-gradient',
  title: 'Input × gradient',
  summary: 'Each input value times how fast the score changes with it.',
  paper: 'https://arxiv.org/abs/1605.01713',
  version: '1',
  kind: 'pixels',
  axioms: ['dummy', 'linearity', 'implementation invariance'],
  needs: ['gradient'],
  conventions: ['paper', 'captum'],
  parameters: z.strictObject({}),
  explain: ({ image, gradient }) => image.mul(gradient()),
});
