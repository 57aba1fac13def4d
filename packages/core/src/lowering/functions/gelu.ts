import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { is, operandsOf, polynomial, terms } from './expression.ts';
import type { Recogniser } from './recogniser.ts';

/** Recognises GELU, x·½(1 + erf(x/√2)), with its factors in any order. */
export const gelu: Recogniser = (g, node, precision) => {
  const [y] = node.outputs as [Value];
  for (const { inputs, outputs } of terms(g, y, 'Erf')) {
    const [scaled, erf] = [inputs[0]!, outputs[0]!];
    for (const x of operandsOf(g, scaled)) {
      if (!is(polynomial(g, scaled, [x]), { 1: Math.SQRT1_2 }, precision)) continue;
      if (!is(polynomial(g, y, [x, erf]), { '1,0': 0.5, '1,1': 0.5 }, precision)) continue;
      return {
        op: 'Gelu',
        inputs: [x],
        attributes: { approximate: 'none' },
        parts: { scaled, erf, ...cumulative(g, y, erf, precision) },
      };
    }
  }
  return undefined;
};

/** Finds the value that is Φ(x) or 2·Φ(x). */
function cumulative(g: GraphBuilder, y: Value, erf: Value, precision: number): Record<string, Value> {
  for (const value of operandsOf(g, y)) {
    const found = polynomial(g, value, [erf]);
    if (is(found, { 0: 0.5, 1: 0.5 }, precision)) return { cumulative: value };
    if (is(found, { 0: 1, 1: 1 }, precision)) return { twice: value };
  }
  return {};
}

/** Recognises GELU's tanh form, x·½(1 + tanh(√(2/π)·(x + 0.044715·x³))). */
export const tanhGelu: Recogniser = (g, node, precision) => {
  const [y] = node.outputs as [Value];
  const factor = Math.sqrt(2 / Math.PI);
  for (const { inputs, outputs } of terms(g, y, 'Tanh')) {
    const [inner, tanh] = [inputs[0]!, outputs[0]!];
    for (const x of operandsOf(g, inner)) {
      if (!is(polynomial(g, inner, [x]), { 1: factor, 3: factor * 0.044715 }, precision)) continue;
      if (!is(polynomial(g, y, [x, tanh]), { '1,0': 0.5, '1,1': 0.5 }, precision)) continue;
      return { op: 'Gelu', inputs: [x], attributes: { approximate: 'tanh' }, parts: { tanh } };
    }
  }
  return undefined;
};
