import { z } from 'zod';
import { defineMethod } from '../method.ts';

/**
 * Saliency: the gradient of the target's score with respect to the input, ∂y_c/∂x, [N, C, H, W].
 *
 * If `abs` is set, the result is its absolute value, which is Captum's default.
 *
 * @see Simonyan, Vedaldi & Zisserman, "Deep Inside Convolutional Networks", 2014
 * @example createExplainer(classifier, { method: 'saliency', parameters: { abs: true } }, runtime)
 */
export const saliency = defineMethod({
  id: 'saliency',
  title: 'Saliency',
  summary: 'How fast the score changes with each input value: the gradient.',
  paper: 'https://arxiv.org/abs/1312.6034',
  version: '1',
  kind: 'pixels',
  axioms: ['dummy', 'implementation invariance'],
  needs: ['gradient'],
  conventions: ['paper', 'captum'],
  deviations: {
    captum: 'Absolute values unless abs=false.',
  },
  parameters: z.strictObject({ abs: z.boolean().default(false).describe('Absolute value of the gradient') }),
  defaults: { captum: { abs: true } },
  explain({ gradient }, { parameters }) {
    return parameters.abs ? gradient().abs() : gradient();
  },
});
