import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { div, mul, neg, number, reshape, shift, sub } from '../../onnx/emit.ts';
import { type Node, real } from '../../onnx/graph.ts';

/** Makes a and c of a·z + c, each a vector over the channels of z; left out where a is 1 or c is 0. */
export type Affine = (g: GraphBuilder) => { readonly factor?: Value; readonly shift?: Value };

/**
 * What an operator does to a value, where it does no more than to scale and to shift each of its channels by constants.
 *
 * @param channels the axis of the channels
 */
export function affineOf(
  g: GraphBuilder,
  node: Node,
  value: Value,
  channels: number | undefined,
): Affine | undefined {
  if (channels === undefined) return undefined;
  const { op, inputs } = node;
  const others = inputs.filter((input) => input !== value && input !== '');
  if (others.length !== inputs.length - 1 || others.some((input) => g.dependsOnInputs(input)))
    return undefined;
  if (op === 'BatchNormalization')
    return channels === 1 && inputs[0] === value ? normalized(node) : undefined;
  const [other] = others;
  if (other === undefined || others.length > 1 || !isPerChannel(g, other, value, channels)) return undefined;
  const vector = (b: GraphBuilder) => perChannel(b, other, b.shape(value)[channels]!);
  const first = inputs[0] === value;
  switch (op) {
    case 'Mul':
      return (b) => ({ factor: vector(b) });
    case 'Div':
      return first ? (b) => ({ factor: div(b, number(b, 1, other), vector(b)) }) : undefined;
    case 'Add':
    case 'Sum':
      return (b) => ({ shift: vector(b) });
    case 'Sub':
      return first ? (b) => ({ shift: neg(b, vector(b)) }) : undefined;
    default:
      return undefined;
  }
}

/** a = γ/√(σ² + ε), c = β - μ·a */
const normalized =
  (node: Node): Affine =>
  (g) => {
    const [, gamma, beta, mean, variance] = node.inputs as [Value, Value, Value, Value, Value];
    const factor = div(g, gamma, g.emit('Sqrt', [shift(g, variance, real(node, 'epsilon', 1e-5))]));
    return { factor, shift: sub(g, beta, mul(g, mean, factor)) };
  };

/** Whether a constant that meets `value` has one number for each of its channels, or one for all. */
function isPerChannel(g: GraphBuilder, constant: Value, value: Value, channels: number): boolean {
  const [from, to] = [g.shape(constant), g.shape(value)];
  const ahead = to.length - from.length;
  return ahead >= 0 && from.every((d, i) => d === 1 || (i + ahead === channels && d === to[channels]));
}

/** Such a constant as a vector. */
function perChannel(g: GraphBuilder, constant: Value, channels: number): Value {
  const size = g.shape(constant).reduce((a, b) => a * b, 1);
  const vector = reshape(g, constant, [size]);
  return size === channels ? vector : g.emit('Expand', [vector, g.ints([channels])]);
}
