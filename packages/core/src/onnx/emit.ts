import type { GraphBuilder, Shape, Value } from './builder.ts';
import { codeOfDtype } from './dtype.ts';
import type { Attributes } from './graph.ts';

/** Operators for rules and methods, under their usual names; each appends one node unless its comment says more. */
export const add = (g: GraphBuilder, a: Value, b: Value): Value => g.emit('Add', [a, b]);
export const sub = (g: GraphBuilder, a: Value, b: Value): Value => g.emit('Sub', [a, b]);
export const mul = (g: GraphBuilder, a: Value, b: Value): Value => g.emit('Mul', [a, b]);
export const div = (g: GraphBuilder, a: Value, b: Value): Value => g.emit('Div', [a, b]);
export const neg = (g: GraphBuilder, a: Value): Value => g.emit('Neg', [a]);
export const equal = (g: GraphBuilder, a: Value, b: Value): Value => g.emit('Equal', [a, b]);
export const relu = (g: GraphBuilder, a: Value): Value => g.emit('Relu', [a]);
export const matmul = (g: GraphBuilder, a: Value, b: Value): Value => g.emit('MatMul', [a, b]);
export const where = (g: GraphBuilder, condition: Value, a: Value, b: Value): Value =>
  g.emit('Where', [condition, a, b]);

/** Casts `a` to the type of `like`. */
export const castLike = (g: GraphBuilder, a: Value, like: Value): Value =>
  g.dtype(a) === g.dtype(like) ? a : g.emit('Cast', [a], { to: codeOfDtype[g.dtype(like)] });

/** Makes a float constant of the type of `like`. */
export const array = (
  g: GraphBuilder,
  shape: readonly number[],
  values: ArrayLike<number>,
  like: Value,
): Value =>
  g.dtype(like) === 'float64'
    ? g.constant({ dtype: 'float64', shape, data: Float64Array.from(values) })
    : g.constant({ dtype: 'float32', shape, data: Float32Array.from(values) });

/** Makes a constant number of the type of `like`. */
export const number = (g: GraphBuilder, value: number, like: Value): Value =>
  g.dtype(like) === 'float64' ? g.scalar(value, 'float64') : g.scalar(value);

export const scale = (g: GraphBuilder, a: Value, factor: number): Value =>
  factor === 1 ? a : mul(g, a, number(g, factor, a));
export const shift = (g: GraphBuilder, a: Value, by: number): Value => add(g, a, number(g, by, a));

/** Sums over `axes`; with `keep`, they stay as axes of size 1. */
export const sum = (g: GraphBuilder, a: Value, axes: readonly number[], keep = true): Value =>
  axes.length === 0 ? a : g.emit('ReduceSum', [a, g.ints(axes)], { keepdims: keep ? 1 : 0 });
export const mean = (g: GraphBuilder, a: Value, axes: readonly number[], keep = true): Value =>
  g.emit('ReduceMean', [a, g.ints(axes)], { keepdims: keep ? 1 : 0 });
export const maximum = (g: GraphBuilder, a: Value, axes: readonly number[], keep = true): Value =>
  g.emit('ReduceMax', [a, g.ints(axes)], { keepdims: keep ? 1 : 0 });
export const minimum = (g: GraphBuilder, a: Value, axes: readonly number[], keep = true): Value =>
  g.emit('ReduceMin', [a, g.ints(axes)], { keepdims: keep ? 1 : 0 });

export const transpose = (g: GraphBuilder, a: Value, perm: readonly number[]): Value =>
  perm.every((p, i) => p === i) ? a : g.emit('Transpose', [a], { perm });

/**
 * Reshapes to a shape of which at most one dimension depends on the batch. A dimension that stays is written as
 * copied (0), not as inferred (-1): ONNX Runtime follows a copied batch only, and keeps values of unknown batch out of
 * its blocked layout.
 */
export function reshape(g: GraphBuilder, a: Value, shape: Shape): Value {
  const from = g.shape(a);
  if (from.length === shape.length && from.every((d, i) => d === shape[i])) return a;
  if (shape.filter((d) => d < 0).length <= 1)
    return g.emit('Reshape', [a, g.ints(shape.map((d, i) => (d >= 0 ? d : d === from[i] ? 0 : -1)))]);
  const ratio = shape.map((d) => (d < 0 ? scaledBatch(g, a, from, -d) : g.ints([d])));
  return g.emit('Reshape', [a, g.emit('Concat', ratio, { axis: 0 })]);
}

/** Makes the tensor [k·batch] from a value whose shape contains the batch. */
function scaledBatch(g: GraphBuilder, a: Value, from: Shape, k: number): Value {
  const axis = from.findIndex((d) => d < 0);
  const dim = g.emit('Shape', [a], { start: axis, end: axis + 1 });
  const batch = from[axis] === -1 ? dim : g.emit('Div', [dim, g.ints([-from[axis]!])]);
  return k === 1 ? batch : g.emit('Mul', [batch, g.ints([k])]);
}

export const unsqueeze = (g: GraphBuilder, a: Value, axes: readonly number[]): Value =>
  g.emit('Unsqueeze', [a, g.ints(axes)]);

/** Takes `a[..., from:to, ...]` along `axis`. */
export const slice = (g: GraphBuilder, a: Value, axis: number, from: number, to: number): Value =>
  g.emit('Slice', [a, g.ints([from]), g.ints([to]), g.ints([axis])]);

/** Reverses `axes`. */
export const flip = (g: GraphBuilder, a: Value, axes: readonly number[]): Value =>
  g.emit('Slice', [
    a,
    g.ints(axes.map(() => -1)),
    g.ints(axes.map(() => -(2 ** 31))),
    g.ints(axes),
    g.ints(axes.map(() => -1)),
  ]);

/** Makes zeros of the shape of `a`. */
export const zerosLike = (g: GraphBuilder, a: Value): Value => {
  const shape = g.emit('Shape', [a]);
  const zero = g.dtype(a) === 'float64' ? Float64Array.of(0) : Float32Array.of(0);
  const value = {
    tensor: { dtype: g.dtype(a) === 'float64' ? 'float64' : 'float32', shape: [1], data: zero } as const,
  };
  return g.emit('ConstantOfShape', [shape], { value });
};

/** Makes float32 ones of the shape of `a`. */
export const onesLike = (g: GraphBuilder, a: Value): Value => {
  const one = { dtype: 'float32', shape: [1], data: Float32Array.of(1) } as const;
  return g.emit('ConstantOfShape', [g.emit('Shape', [a])], { value: { tensor: one } });
};

const resized = (g: GraphBuilder, a: Value, height: number, width: number, how: Attributes): Value => {
  const batch = g.emit('Shape', [a], { start: 0, end: 2 });
  return g.emit('Resize', [a, '', '', g.emit('Concat', [batch, g.ints([height, width])], { axis: 0 })], how);
};

/** Resizes the last two axes of a rank-4 value bilinearly; half-pixel centres unless corners are aligned. */
export const resizeLinear = (
  g: GraphBuilder,
  a: Value,
  height: number,
  width: number,
  alignCorners = false,
): Value =>
  resized(g, a, height, width, {
    mode: 'linear',
    coordinate_transformation_mode: alignCorners ? 'align_corners' : 'half_pixel',
  });

/** Resizes the last two axes of a rank-4 value: index i gets the element at ⌊i·from/to⌋, as PyTorch's `nearest`. */
export const resizeNearest = (g: GraphBuilder, a: Value, height: number, width: number): Value =>
  resized(g, a, height, width, {
    mode: 'nearest',
    coordinate_transformation_mode: 'asymmetric',
    nearest_mode: 'floor',
  });
