import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { add, matmul, number, transpose } from '../../onnx/emit.ts';
import { type Attributes, int, type Node, real, text } from '../../onnx/graph.ts';
import { getOwn } from '../../own.ts';
import { optional, required } from '../operands.ts';
import { spellPads, without } from '../pads.ts';
import type { Upgrade, Upgraded } from '../upgraded.ts';
import { activated } from './activation.ts';
import { named } from './named.ts';

/** Reads a real attribute, if the node has it. ONNX Runtime writes NaN for an unused attribute. */
function realIfGiven(node: Node, name: string): number | undefined {
  const value = real(node, name, Number.NaN);
  return Number.isNaN(value) ? undefined : value;
}

const floatsOf = (node: Node, name: string): readonly number[] => {
  const value = getOwn(node.attributes, name);
  return typeof value === 'object' && 'floats' in value ? value.floats : [];
};

/** Swaps the last two axes of an operand, or moves its first axis before the last. */
function turned(g: GraphBuilder, value: Value, swapped: boolean, batched: boolean): Value {
  const axes = g.shape(value).map((_, i) => i);
  const last = axes.at(-1);
  if (axes.length < 2) return value;
  const rows = batched ? [...axes.slice(1, -1), 0, last!] : axes;
  const perm = swapped ? [...rows.slice(0, -2), rows.at(-1)!, rows.at(-2)!] : rows;
  return transpose(g, value, perm);
}

function fusedMatMul(g: GraphBuilder, node: Node): Upgraded {
  const [a, b] = required(node, 2) as [Value, Value];
  const is = (name: string) => int(node, name, 0) !== 0;
  const operands = [
    turned(g, a, is('transA'), is('transBatchA')),
    turned(g, b, is('transB'), is('transBatchB')),
  ] as const;
  const alpha = real(node, 'alpha', 1);
  if (alpha === 1) return named(node, 'MatMul', operands);
  const product = matmul(g, ...operands);
  return named(node, 'Mul', [product, number(g, alpha, product)]);
}

const activation = (node: Node): string => text(node, 'activation', '');

export const products = {
  'com.microsoft.FusedMatMul': fusedMatMul,
  'com.microsoft.TransposeMatMul': fusedMatMul,
  'com.microsoft.FusedGemm'(g, node) {
    const inputs = [...required(node, 2), ...(optional(node, 2) ? [node.inputs[2]!] : [])];
    const own = Object.keys(node.attributes).filter((name) => name.startsWith('activation'));
    const parameters = ['alpha', 'beta', 'gamma'].map((name) => realIfGiven(node, `activation_${name}`));
    // A Selu's second parameter is its gamma.
    const given = activation(node) === 'Selu' ? [parameters[0], parameters[2]] : parameters;
    return activated(g, node, activation(node), given, ['Gemm', inputs, without(node.attributes, ...own)]);
  },
  /** activation(conv(x) + z) */
  'com.microsoft.FusedConv'(g, node, opset) {
    const [bias, other] = [optional(node, 2), optional(node, 3)];
    const spelled = spellPads(g, node, opset) as { readonly nodes: readonly Node[] };
    const attributes: Attributes = without(spelled.nodes[0]!.attributes, 'activation', 'activation_params');
    const inputs = [...required(node, 2), ...(bias ? [bias] : [])];
    const parameters = floatsOf(node, 'activation_params');
    const conv = ['Conv', inputs, attributes] as const;
    if (!other) return activated(g, node, activation(node), parameters, conv);
    const sum = ['Add', [g.emit(...conv), other], {}] as const;
    return activated(g, node, activation(node), parameters, sum);
  },
} satisfies Record<string, Upgrade>;

/** Makes a product and the bias that follows it, if there is a bias. */
export function withBias(g: GraphBuilder, node: Node, a: Value, b: Value, bias: Value | undefined): Upgraded {
  return bias ? named(node, 'Add', [matmul(g, a, b), bias]) : named(node, 'MatMul', [a, b]);
}

/** x·weights + bias */
export const projected = (g: GraphBuilder, x: Value, weights: Value, bias: Value | undefined): Value =>
  bias ? add(g, matmul(g, x, weights), bias) : matmul(g, x, weights);
