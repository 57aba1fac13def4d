import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { reshape } from '../onnx/emit.ts';
import { int, ints, type Node } from '../onnx/graph.ts';
import { axisOf } from '../operators/shape/fact.ts';

// Operators that compute each row along an axis of their output from the same row of some of their inputs.

/** The axis of each input whose rows are meant, counted from the front; `null` where every row takes all of an input. */
export type InputAxes = readonly (number | null)[];

const elementwise =
  /^(Add|Sub|Mul|Div|Pow|Sum|Max|Min|Relu|LeakyRelu|Elu|Celu|Selu|Clip|Sigmoid|HardSigmoid|HardSwish|Tanh|Softplus|Mish|Swish|Gelu|Erf|Sqrt|Exp|Neg|Abs|Reciprocal|Cast)$/;

/** How rows along `axis` of a node's output are made; `undefined`: not one by one. */
export function rowwise(g: GraphBuilder, node: Node, axis: number): InputAxes | undefined {
  if (![...node.inputs, ...node.outputs].every((value) => value === '' || g.knows(value))) return undefined;
  const rank = (i: number) => g.shape(node.inputs[i]!).length;
  const out = g.shape(node.outputs[0]!);
  if (elementwise.test(node.op)) return node.inputs.map((input) => broadcast(g, input, out.length, axis));
  switch (node.op) {
    case 'LayerNormalization':
      return axis < axisOf(int(node, 'axis', -1), out.length) ? [axis, null, null] : undefined;
    case 'Softmax':
      return axis === axisOf(int(node, 'axis', -1), out.length) ? undefined : [axis];
    case 'Transpose':
      return [ints(node, 'perm')?.[axis] ?? out.length - 1 - axis];
    case 'Reshape':
      return reshaped(g.shape(node.inputs[0]!), out, axis);
    case 'MatMul':
      if (axis === out.length - 1 || rank(0) < 2 || rank(1) < 2) return undefined;
      if (axis === out.length - 2) return [rank(0) - 2, null];
      return node.inputs.map((input) => broadcast(g, input, out.length, axis));
    default:
      return undefined;
  }
}

/** A node again, over those rows of its inputs that `count` rows along `axis` of its output are made of. */
export function again(g: GraphBuilder, node: Node, inputs: readonly Value[], axis: number, count: number) {
  const shape = g.shape(node.outputs[0]!).map((d, i) => (i === axis ? count : d));
  return node.op === 'Reshape' ? reshape(g, inputs[0]!, shape) : g.emit(node.op, inputs, node.attributes);
}

function broadcast(g: GraphBuilder, input: Value, rank: number, axis: number): number | null {
  if (input === '') return null;
  const shape = g.shape(input);
  const own = axis - (rank - shape.length);
  return own < 0 || shape[own] === 1 ? null : own;
}

/** An axis that a Reshape leaves as it is has as many elements before it as behind it in both shapes. */
function reshaped(from: readonly number[], to: readonly number[], axis: number): InputAxes | undefined {
  const product = (dims: readonly number[]) => dims.reduce((a, b) => a * b, 1);
  const before = product(to.slice(0, axis));
  const own = from.findIndex((d, i) => d === to[axis] && product(from.slice(0, i)) === before);
  return own < 0 ? undefined : [own, null];
}
