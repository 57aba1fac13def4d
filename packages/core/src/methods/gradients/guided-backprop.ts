import { z } from 'zod';
import { guidedRules } from '../../autodiff/guided.ts';
import { defineMethod } from '../method.ts';
import { withoutRelu } from './guided.ts';

/**
 * Guided backpropagation: the gradient of the score with respect to the input, [N, C, H, W], with negative
 * gradients stopped at every ReLU. In pytorch-grad-cam channels are last, [N, H, W, C].
 *
 * On a network without ReLU this is the gradient. All Relu nodes take part, also those called as functions in PyTorch.
 *
 * @see Springenberg et al., "Striving for Simplicity: The All Convolutional Net", 2015
 * @example createExplainer(classifier, { method: 'guided-backprop' }, runtime)
 */
export const guidedBackprop = defineMethod({
  id: 'guided-backprop',
  title: 'Guided backpropagation',
  summary:
    'The gradient with negative evidence stopped at every ReLU: fine detail, little about the class. Without ReLU, the gradient.',
  paper: 'https://arxiv.org/abs/1412.6806',
  version: '1',
  kind: 'pixels',
  axioms: ['dummy'],
  remarksOn: withoutRelu('guided backpropagation'),
  needs: ['gradient'],
  conventions: ['paper', 'captum', 'pytorch-grad-cam'],
  deviations: {
    captum:
      'ReLU modules are treated, not calls of relu(); in ONNX both are Relu nodes and both are treated.',
  },
  parameters: z.strictObject({}),
  explain({ gradient }, { convention, layout }) {
    const guided = gradient({ rules: guidedRules });
    return convention === 'pytorch-grad-cam' && layout === 'NCHW' ? guided.transpose([0, 2, 3, 1]) : guided;
  },
});
