import type { GraphBuilder, Shape, Value } from '../../onnx/builder.ts';
import { Expression } from '../../onnx/expression.ts';
import { type Node, real } from '../../onnx/graph.ts';
import { sizeOf } from '../../tensor.ts';

/** A node that scales and shifts each channel of its input by constants: a·z + c. */
export interface Affine {
  readonly node: Node;
  /** The constants that scale or shift its input. */
  readonly constants: readonly Expression[];
  /** The number of channels of its input. */
  readonly channels: number;
}

/** a and c, each a vector over the channels; a is left out if it is 1, c if it is 0. */
export interface Vectors {
  readonly factor?: Expression;
  readonly shift?: Expression;
}

/**
 * Gives a node that takes `value` as `Affine`, if it only scales and shifts the channels of `value` by constants.
 *
 * @param axis the axis of the channels
 */
export function affineOf(g: GraphBuilder, node: Node, value: Value, axis: number): Affine | undefined {
  const { op, inputs } = node;
  const others = inputs.filter((input) => input !== value);
  if (others.length !== inputs.length - 1 || others.some((input) => g.dependsOnInputs(input)))
    return undefined;
  const constants = others.map((other) => new Expression(g, other));
  const affine = { node, constants, channels: g.shape(value)[axis]! };
  if (op === 'BatchNormalization') return axis === 1 ? affine : undefined;
  const either = op === 'Mul' || op === 'Add' || op === 'Sum';
  const suits = either || ((op === 'Div' || op === 'Sub') && inputs[0] === value);
  const [constant, ...more] = constants;
  const alone = suits && constant && more.length === 0;
  return alone && isPerChannel(constant.shape, g.shape(value), axis) ? affine : undefined;
}

/** Whether a constant that broadcasts to a value has one number for each channel of the value, or one for all. */
function isPerChannel(from: Shape, to: Shape, axis: number): boolean {
  const ahead = to.length - from.length;
  return ahead >= 0 && from.every((d, i) => d === 1 || (i + ahead === axis && d === to[axis]));
}

export function vectorOf(affine: Affine): Vectors {
  const { node, constants, channels } = affine;
  if (node.op === 'BatchNormalization') return ofBatchNormalization(affine);
  const constant = perChannel(constants[0]!, channels);
  switch (node.op) {
    case 'Mul':
      return { factor: constant };
    case 'Div':
      return { factor: constant.number(1).div(constant) };
    case 'Sub':
      return { shift: constant.neg() };
    default:
      return { shift: constant };
  }
}

/** a = γ/√(σ² + ε), c = β - μ·a */
function ofBatchNormalization({ node, constants }: Affine): Vectors {
  const [gamma, beta, mean, variance] = constants as [Expression, Expression, Expression, Expression];
  const factor = gamma.div(variance.add(real(node, 'epsilon', 1e-5)).sqrt());
  return { factor, shift: beta.sub(mean.mul(factor)) };
}

/** Gives a constant that broadcasts along the channels as a vector over them. */
function perChannel(constant: Expression, channels: number): Expression {
  const size = sizeOf(constant.shape);
  const vector = constant.reshape([size]);
  return size === channels ? vector : vector.expand([channels]);
}
