import { z } from 'zod';
import { deconvolutionRules } from '../../autodiff/guided.ts';
import { defineMethod } from '../method.ts';
import { withoutRelu } from './guided.ts';

/**
 * Deconvolution: the backward pass with a ReLU on the gradient in place of each ReLU's derivative, [N, C, H, W]. On a
 * network without ReLU the result is the gradient.
 *
 * @see Zeiler & Fergus, "Visualizing and Understanding Convolutional Networks", 2014
 * @example createExplainer(classifier, { method: 'deconvolution' }, runtime)
 */
export const deconvolution = defineMethod({
  id: 'deconvolution',
  title: 'Deconvolution',
  summary:
    'A backward pass that lets positive gradients only through each ReLU, open or not. Without ReLU, the gradient.',
  paper: 'https://arxiv.org/abs/1311.2901',
  version: '1',
  kind: 'pixels',
  axioms: ['dummy'],
  remarksOn: withoutRelu('deconvolution'),
  needs: ['gradient'],
  conventions: ['paper', 'captum'],
  deviations: {
    captum:
      'ReLU modules are treated, not calls of relu(); in ONNX both are Relu nodes and both are treated.',
  },
  parameters: z.strictObject({}),
  explain: ({ gradient }) => gradient({ rules: deconvolutionRules }),
});
