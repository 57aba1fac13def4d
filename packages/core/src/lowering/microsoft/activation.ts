import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { add, mul, number, scale, shift } from '../../onnx/emit.ts';
import { type Attributes, float, type Node, real } from '../../onnx/graph.ts';
import { quoted } from '../../onnx/names.ts';
import type { OperatorName } from '../../onnx/operator-names.ts';
import { optional, required } from '../operands.ts';
import type { Upgrade, Upgraded } from '../upgraded.ts';
import { named } from './named.ts';
import { unsupported } from './refusal.ts';

// Elementwise functions, spelled out as exporters do: `functions/recognise` makes one node of each function.

/** x·½·(1 + erf(x/√2)) */
function gelu(g: GraphBuilder, node: Node, x: Value): Upgraded {
  const erf = g.emit('Erf', [scale(g, x, Math.SQRT1_2)]);
  return named(node, 'Mul', [scale(g, x, 0.5), shift(g, erf, 1)]);
}

/** x·½·(1 + tanh(√(2/π)·(x + 0.044715·x³))) */
function tanhGelu(g: GraphBuilder, node: Node, x: Value): Upgraded {
  const cube = mul(g, mul(g, x, x), x);
  const inner = scale(g, add(g, x, scale(g, cube, 0.044715)), Math.sqrt(2 / Math.PI));
  return named(node, 'Mul', [scale(g, x, 0.5), shift(g, g.emit('Tanh', [inner]), 1)]);
}

export const activations = {
  'com.microsoft.Gelu': (g, node) => gelu(g, node, required(node, 1)[0]!),
  'com.microsoft.BiasGelu'(g, node) {
    const [x, bias] = required(node, 2) as [Value, Value];
    return gelu(g, node, add(g, x, bias));
  },
  'com.microsoft.FastGelu'(g, node) {
    const [x, bias] = [required(node, 1)[0]!, optional(node, 1)];
    return tanhGelu(g, node, bias ? add(g, x, bias) : x);
  },
  'com.microsoft.QuickGelu'(g, node) {
    const x = required(node, 1)[0]!;
    const gate = g.emit('Sigmoid', [scale(g, x, real(node, 'alpha', 1.702))]);
    return named(node, 'Mul', [x, gate]);
  },
} satisfies Record<string, Upgrade>;

/** Activations that ONNX Runtime fuses into the operator before, with the attributes of their parameters, in order. */
const fused: Readonly<Partial<Record<OperatorName, readonly string[]>>> = {
  Elu: ['alpha'],
  HardSigmoid: ['alpha', 'beta'],
  HardSwish: [],
  LeakyRelu: ['alpha'],
  Relu: [],
  Selu: ['alpha', 'gamma'],
  Sigmoid: [],
  Softplus: [],
  Softsign: [],
  Tanh: [],
  ThresholdedRelu: ['alpha'],
};

/** Applies the activation that ends a fused operator to the result of `x`; without an activation, `x` is the end. */
export function activated(
  g: GraphBuilder,
  node: Node,
  activation: string,
  parameters: readonly (number | undefined)[],
  x: readonly [op: OperatorName, inputs: readonly Value[], attributes: Attributes],
): Upgraded {
  if (activation === '') return named(node, ...x);
  const before = g.emit(...x);
  if (activation === 'Clip') {
    const bounds = [parameters[0] ?? Number.NEGATIVE_INFINITY, parameters[1] ?? Number.POSITIVE_INFINITY];
    return named(node, 'Clip', [before, ...bounds.map((bound) => number(g, bound, before))]);
  }
  const names = new Map(Object.entries(fused)).get(activation);
  if (!names) throw unsupported(node, `the activation ${quoted(activation)}`);
  const attributes = names.flatMap((name, i) =>
    parameters[i] === undefined ? [] : [[name, float(parameters[i])] as const],
  );
  return named(node, activation as OperatorName, [before], Object.fromEntries(attributes));
}
