import { float } from '../../onnx/graph.ts';
import { is, multipleOf, operandsOf, polynomial, terms } from './expression.ts';
import type { Recogniser } from './recogniser.ts';

/** Recognises swish, x·sigmoid(a·x): SiLU with a = 1, QuickGELU with a = 1.702. */
export const swish: Recogniser = (g, node, precision) => {
  const [y] = node.outputs as [string];
  for (const sigmoid of terms(g, y, 'Sigmoid')) {
    const gate = sigmoid.outputs[0]!;
    for (const x of operandsOf(g, sigmoid.inputs[0]!)) {
      const alpha = multipleOf(g, sigmoid.inputs[0]!, x);
      if (alpha === undefined || !is(polynomial(g, y, [x, gate]), { '1,1': 1 }, precision)) continue;
      return { op: 'Swish', inputs: [x], attributes: { alpha: float(alpha) }, parts: { gate } };
    }
  }
  return undefined;
};
