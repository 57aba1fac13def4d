import { is, madeBy, polynomial, terms } from './expression.ts';
import type { Recogniser } from './recogniser.ts';

/** Recognises Mish, x·tanh(softplus(x)). */
export const mish: Recogniser = (g, node, precision) => {
  for (const { inputs, outputs } of terms(g, node.outputs[0]!, 'Tanh')) {
    const [x] = madeBy(g, inputs[0], 'Softplus')?.inputs ?? [];
    if (x && is(polynomial(g, node.outputs[0]!, [x, outputs[0]!]), { '1,1': 1 }, precision))
      return { op: 'Mish', inputs: [x], parts: { tanh: outputs[0]! } };
  }
  return undefined;
};
