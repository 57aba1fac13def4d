import type { Value } from '../../onnx/builder.ts';
import { eitherWay, is, madeBy, multipleOf, operandsOf, polynomial, scalar, terms } from './expression.ts';
import type { Recogniser } from './recogniser.ts';

/** Recognises a written-out sigmoid: 1 / (1 + e^-x), as a quotient or a reciprocal, or e^x / (1 + e^x). */
export const writtenSigmoid: Recogniser = (g, node, precision) => {
  const [top, bottom] = (node.op === 'Reciprocal' ? [undefined, node.inputs[0]] : node.inputs) as [
    Value | undefined,
    Value,
  ];
  for (const exponential of terms(g, bottom, 'Exp')) {
    const power = exponential.outputs[0]!;
    if (!is(polynomial(g, bottom, [power]), { 0: 1, 1: 1 }, precision)) continue;
    if (top === power) return { op: 'Sigmoid', inputs: [exponential.inputs[0]!] };
    if (top !== undefined && scalar(g, top) !== 1) continue;
    for (const x of operandsOf(g, exponential.inputs[0]!))
      if (multipleOf(g, exponential.inputs[0]!, x) === -1) return { op: 'Sigmoid', inputs: [x] };
  }
  return undefined;
};

/** Recognises e^x · 1 / (1 + e^x) as a product with a reciprocal; other code recognises the quotient. */
export const multipliedSigmoid: Recogniser = (g, node, precision) => {
  for (const [power, other] of eitherWay(node)) {
    const exponential = madeBy(g, power, 'Exp');
    const bottom = madeBy(g, other, 'Reciprocal')?.inputs[0];
    if (exponential && bottom && is(polynomial(g, bottom, [power]), { 0: 1, 1: 1 }, precision))
      return { op: 'Sigmoid', inputs: [exponential.inputs[0]!] };
  }
  return undefined;
};
