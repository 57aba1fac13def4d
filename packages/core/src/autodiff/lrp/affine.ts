import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { div, mul, neg, number, reshape, shift, sub } from '../../onnx/emit.ts';
import { type Node, real } from '../../onnx/graph.ts';
import { sizeOf } from '../../tensor.ts';

/** A node that scales and shifts each channel of its input by constants: a·z + c. */
export interface Affine {
  readonly node: Node;
  /** How many channels its input has. */
  readonly channels: number;
}

/** a and c, each a vector over the channels; left out where a is 1 or c is 0. */
export interface Vectors {
  readonly factor?: Value;
  readonly shift?: Value;
}

/**
 * A node that takes `value`, if it does no more than to scale and to shift its channels by constants.
 *
 * @param axis the axis of the channels
 */
export function affineOf(g: GraphBuilder, node: Node, value: Value, axis: number): Affine | undefined {
  const { op, inputs } = node;
  const others = inputs.filter((input) => input !== value);
  if (others.length !== inputs.length - 1 || others.some((input) => g.dependsOnInputs(input)))
    return undefined;
  const affine = { node, channels: g.shape(value)[axis]! };
  if (op === 'BatchNormalization') return axis === 1 ? affine : undefined;
  const either = op === 'Mul' || op === 'Add' || op === 'Sum';
  const suits = either || ((op === 'Div' || op === 'Sub') && inputs[0] === value);
  return suits && others.length === 1 && isPerChannel(g, others[0]!, value, axis) ? affine : undefined;
}

/** Whether a constant that meets `value` has one number for each of its channels, or one for all. */
function isPerChannel(g: GraphBuilder, constant: Value, value: Value, axis: number): boolean {
  const [from, to] = [g.shape(constant), g.shape(value)];
  const ahead = to.length - from.length;
  return ahead >= 0 && from.every((d, i) => d === 1 || (i + ahead === axis && d === to[axis]));
}

export function vectorOf(g: GraphBuilder, { node, channels }: Affine): Vectors {
  if (node.op === 'BatchNormalization') return ofBatchNormalization(g, node);
  const constant = perChannel(g, node.inputs.find((input) => !g.dependsOnInputs(input))!, channels);
  switch (node.op) {
    case 'Mul':
      return { factor: constant };
    case 'Div':
      return { factor: div(g, number(g, 1, constant), constant) };
    case 'Sub':
      return { shift: neg(g, constant) };
    default:
      return { shift: constant };
  }
}

/** a = γ/√(σ² + ε), c = β - μ·a */
function ofBatchNormalization(g: GraphBuilder, node: Node): Vectors {
  const [, gamma, beta, mean, variance] = node.inputs as [Value, Value, Value, Value, Value];
  const factor = div(g, gamma, g.emit('Sqrt', [shift(g, variance, real(node, 'epsilon', 1e-5))]));
  return { factor, shift: sub(g, beta, mul(g, mean, factor)) };
}

/** A constant that meets the channels, as a vector. */
function perChannel(g: GraphBuilder, constant: Value, channels: number): Value {
  const size = sizeOf(g.shape(constant));
  const vector = reshape(g, constant, [size]);
  return size === channels ? vector : g.emit('Expand', [vector, g.ints([channels])]);
}
