import type { GraphBuilder, Value } from '../onnx/builder.ts';
import type { VjpRules } from '../operators/vjp/rule.ts';
import { gradientRules } from './gradient.ts';
import { between } from './path.ts';

// Backward passes that treat ReLU in their own way; every other operator has its derivative.

/** Guided backpropagation: only positive cotangents pass, and only where the output of the ReLU is positive. */
export const guidedRules: VjpRules = {
  ...gradientRules,
  Relu: [({ y, dy }) => dy.relu().gate(y.isGreater(0))],
};

/** Deconvolution: only positive cotangents pass, whatever the output of the ReLU. */
export const deconvolutionRules: VjpRules = { ...gradientRules, Relu: [({ dy }) => dy.relu()] };

/** Whether a ReLU lies between image and scores: without one these passes are the gradient. */
export const meetsRelu = (g: GraphBuilder, image: Value, scores: Value): boolean =>
  between(g, [image], [scores]).nodes.some(({ op }) => op === 'Relu');
