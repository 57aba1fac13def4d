import { type DType, sizeOf } from '../tensor.ts';
import type { GraphBuilder, Shape, Value } from './builder.ts';
import { codeOfDtype } from './dtype.ts';
import * as emit from './emit.ts';
import { type Attributes, toInt64 } from './graph.ts';
import type { OperatorName } from './operator-names.ts';

/** A value, or a number that becomes a constant of the type of the value with which it is combined. */
export type Operand = Expression | number;

/**
 * A value of a graph under construction. Its methods append nodes and return their results, so that rules and methods
 * read like their formulas:
 *
 *     weights.mul(activation).sum([1]).relu()
 *
 * A value of an enclosing graph becomes an input of a loop's body if it is combined with a value inside the body.
 */
export class Expression {
  readonly g: GraphBuilder;
  /** The value's name in the graph. */
  readonly name: Value;

  constructor(g: GraphBuilder, name: Value) {
    this.g = g;
    this.name = name;
  }

  /** Sizes are positive; `-k` is k times the open batch. */
  get shape(): Shape {
    return this.g.shape(this.name);
  }

  get dtype(): DType {
    return this.g.dtype(this.name);
  }

  /** The elements, if they are known and do not depend on the batch. */
  get elements(): readonly number[] | undefined {
    return this.g.elements(this.name);
  }

  /** Applies an operator to this value and others. */
  emit(op: OperatorName, operands: readonly Operand[] = [], attributes: Attributes = {}): Expression {
    return applied(op, [this, ...operands], attributes);
  }

  add(b: Operand): Expression {
    return this.emit('Add', [b]);
  }
  sub(b: Operand): Expression {
    return this.emit('Sub', [b]);
  }
  mul(b: Operand): Expression {
    return b === 1 ? this : this.emit('Mul', [b]);
  }
  div(b: Operand): Expression {
    return this.emit('Div', [b]);
  }
  pow(b: Operand): Expression {
    return this.emit('Pow', [b]);
  }
  matmul(b: Expression): Expression {
    return this.emit('MatMul', [b]);
  }
  /** Takes the greater of the two, element by element. */
  atLeast(b: Operand): Expression {
    return this.emit('Max', [b]);
  }
  /** Takes the lesser of the two, element by element. */
  atMost(b: Operand): Expression {
    return this.emit('Min', [b]);
  }
  square(): Expression {
    return this.emit('Mul', [this]);
  }
  oneMinus(): Expression {
    return this.number(1).sub(this);
  }
  neg(): Expression {
    return this.emit('Neg');
  }
  abs(): Expression {
    return this.emit('Abs');
  }
  sign(): Expression {
    return this.emit('Sign');
  }
  sqrt(): Expression {
    return this.emit('Sqrt');
  }
  exp(): Expression {
    return this.emit('Exp');
  }
  log(): Expression {
    return this.emit('Log');
  }
  tanh(): Expression {
    return this.emit('Tanh');
  }
  relu(): Expression {
    return this.emit('Relu');
  }
  sigmoid(): Expression {
    return this.emit('Sigmoid');
  }
  reciprocal(): Expression {
    return this.emit('Reciprocal');
  }
  softmax(axis = -1): Expression {
    return this.emit('Softmax', [], { axis });
  }

  equals(b: Operand): Expression {
    return this.emit('Equal', [b]);
  }
  isGreater(b: Operand): Expression {
    return this.emit('Greater', [b]);
  }
  isAtLeast(b: Operand): Expression {
    return this.emit('GreaterOrEqual', [b]);
  }
  isLess(b: Operand): Expression {
    return this.emit('Less', [b]);
  }
  isAtMost(b: Operand): Expression {
    return this.emit('LessOrEqual', [b]);
  }
  and(b: Expression): Expression {
    return this.emit('And', [b]);
  }
  or(b: Expression): Expression {
    return this.emit('Or', [b]);
  }
  not(): Expression {
    return this.emit('Not');
  }
  /** Takes `a` where this condition holds, else `b`; two numbers become float32. */
  where(a: Operand, b: Operand): Expression {
    return applied('Where', [this, a, b], {}, [a, b]);
  }

  /** Sets this to 0 where the condition fails: by a product, which ONNX Runtime computes 4 times faster than Where. */
  gate(condition: Expression): Expression {
    return this.mul(condition.castAs(this));
  }

  /** Sums over axes, which stay as axes of size 1 unless `keep` is false. */
  sum(axes: readonly number[], keep = true): Expression {
    return this.of(emit.sum(this.g, this.name, axes, keep));
  }
  mean(axes: readonly number[], keep = true): Expression {
    return this.of(emit.mean(this.g, this.name, axes, keep));
  }
  max(axes: readonly number[], keep = true): Expression {
    return this.of(emit.maximum(this.g, this.name, axes, keep));
  }
  min(axes: readonly number[], keep = true): Expression {
    return this.of(emit.minimum(this.g, this.name, axes, keep));
  }

  reshape(shape: Shape): Expression {
    return this.of(emit.reshape(this.g, this.name, shape));
  }
  transpose(perm: readonly number[]): Expression {
    return this.of(emit.transpose(this.g, this.name, perm));
  }
  unsqueeze(...axes: readonly number[]): Expression {
    return this.of(emit.unsqueeze(this.g, this.name, axes));
  }
  squeeze(...axes: readonly number[]): Expression {
    return this.emit('Squeeze', [this.ints(axes)]);
  }
  flip(axes: readonly number[]): Expression {
    return this.of(emit.flip(this.g, this.name, axes));
  }
  /** Takes `this[…, from:to, …]` along an axis. */
  slice(axis: number, from: number, to: number): Expression {
    return this.of(emit.slice(this.g, this.name, axis, from, to));
  }
  /** Cuts this value into parts along an axis. */
  split(axis: number, sizes: readonly number[]): Expression[] {
    const inputs = [this.name, this.g.ints(sizes)];
    return this.g.emitAll('Split', inputs, { axis }, sizes.length).map((part) => this.of(part));
  }
  /** Pads with zeros: counts before each axis, then after each; negative counts cut. */
  pad(pads: readonly number[]): Expression {
    return this.emit('Pad', [this.ints(pads)]);
  }
  expand(shape: readonly number[]): Expression {
    return this.emit('Expand', [this.ints(shape)]);
  }
  /** Repeats along axes of size 1, to the shape of another value. */
  expandAs(like: Expression): Expression {
    return this.emit('Expand', [like.emit('Shape')]);
  }
  gather(indices: Expression, axis: number): Expression {
    return this.emit('Gather', [indices], { axis });
  }
  /** Makes one-hot rows of these indices, […, depth], float32. */
  oneHot(depth: number): Expression {
    return this.emit('OneHot', [this.ints([depth]), this.floats([2], [0, 1])]);
  }

  cast(dtype: DType): Expression {
    return this.dtype === dtype ? this : this.emit('Cast', [], { to: codeOfDtype[dtype] });
  }
  castAs(like: Expression): Expression {
    return this.cast(like.dtype);
  }

  zerosLike(): Expression {
    return this.of(emit.zerosLike(this.g, this.name));
  }
  /** Makes float32 ones of this shape. */
  onesLike(): Expression {
    return this.of(emit.onesLike(this.g, this.name));
  }

  /** Resizes the last two of four axes bilinearly; half-pixel centres unless corners are aligned. */
  resizeLinear(height: number, width: number, alignCorners = false): Expression {
    return this.of(emit.resizeLinear(this.g, this.name, height, width, alignCorners));
  }
  /** Resizes the last two of four axes: index i gets the element at ⌊i·from/to⌋. */
  resizeNearest(height: number, width: number): Expression {
    return this.of(emit.resizeNearest(this.g, this.name, height, width));
  }

  /** Makes a constant of this value's type, in its graph. */
  number(value: number): Expression {
    return constantOf(this.g, value, this.dtype);
  }
  array(shape: readonly number[], values: ArrayLike<number>): Expression {
    return this.of(emit.array(this.g, shape, values, this.name));
  }
  /** Makes a constant array of one repeated number. */
  full(shape: readonly number[], value: number): Expression {
    return this.array(shape, new Float64Array(sizeOf(shape)).fill(value));
  }
  ints(values: readonly number[]): Expression {
    return this.of(this.g.ints(values));
  }
  floats(shape: readonly number[], values: readonly number[] | Float32Array): Expression {
    return this.of(this.g.floats(shape, values));
  }

  /** Wraps another value of the same graph. */
  of(name: Value): Expression {
    return new Expression(this.g, name);
  }
}

/** Concatenates values along an axis. */
export function concat(values: readonly Expression[], axis: number): Expression {
  const [only, ...others] = values;
  return only && others.length === 0 ? only : applied('Concat', values, { axis });
}

/** Sums values element by element. */
export function sumOf(values: readonly Expression[]): Expression {
  const [only, ...others] = values;
  return only && others.length === 0 ? only : applied('Sum', values);
}

/**
 * Applies an operator to values, in the innermost of their graphs. Numbers take the type of the first value in `like`.
 *
 * @param like the operands that can give numbers their type; all operands if left out
 */
export const applied = (
  op: OperatorName,
  operands: readonly Operand[],
  attributes: Attributes = {},
  like: readonly Operand[] = operands,
): Expression => appliedAll(op, operands, attributes, 1, like)[0]!;

/** Applies an operator with several outputs likewise. */
export function appliedAll(
  op: OperatorName,
  operands: readonly Operand[],
  attributes: Attributes,
  outputs: number,
  like: readonly Operand[] = operands,
): Expression[] {
  const values = operands.filter((operand) => operand instanceof Expression);
  const { g } = values.reduce((a, b) => (b.g.depth > a.g.depth ? b : a));
  const dtype = like.find((operand) => operand instanceof Expression)?.dtype ?? 'float32';
  const names = operands.map((operand) =>
    operand instanceof Expression ? g.capture(operand.g, operand.name) : constantOf(g, operand, dtype).name,
  );
  return g.emitAll(op, names, attributes, outputs).map((name) => new Expression(g, name));
}

function constantOf(g: GraphBuilder, value: number, dtype: DType): Expression {
  if (dtype === 'int64')
    return new Expression(g, g.constant({ dtype, shape: [], data: BigInt64Array.of(toInt64(value)) }));
  return new Expression(g, g.scalar(value, dtype === 'float64' ? 'float64' : 'float32'));
}
