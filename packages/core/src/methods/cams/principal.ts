import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import {
  add,
  div,
  matmul,
  maximum,
  mean,
  mul,
  reshape,
  scale,
  shift,
  sub,
  sum,
  transpose,
  where,
} from '../../onnx/emit.ts';

// The first principal component of feature maps, by powers of a matrix: the graph has no eigenvectors.

/** Squarings of a matrix: its 2¹²th power, in which the largest eigenvalue is all that is left. */
const squarings = 12;
/** Matrices larger than this are applied, not squared. */
const squared = 800;
const applications = 200;

/** [N, C, h, w] as places × channels, [N, h·w, C]. */
export function places(g: GraphBuilder, maps: Value): Value {
  const [n, c, h, w] = g.shape(maps) as [number, number, number, number];
  return transpose(g, reshape(g, maps, [n, c, h * w]), [0, 2, 1]);
}

/** A map [N, h, w] of maps [N, C, h, w]: each place by its score among the centred places. */
export function principalMap(g: GraphBuilder, maps: Value, scores = principalScores): Value {
  const [n, , h, w] = g.shape(maps) as [number, number, number, number];
  return reshape(g, scores(g, centred(g, places(g, maps))), [n, h, w]);
}

export const centred = (g: GraphBuilder, x: Value): Value => sub(g, x, mean(g, x, [1]));

/** Places [N, h·w, C] along their first principal direction, [N, h·w, 1], the largest magnitude positive. */
export function principalScores(g: GraphBuilder, x: Value): Value {
  const [, rows, columns] = g.shape(x) as [number, number, number];
  const across = transpose(g, x, [0, 2, 1]);
  if (columns <= rows) return upright(g, matmul(g, x, dominant(g, matmul(g, across, x))));
  const direction = unit(g, matmul(g, across, dominant(g, matmul(g, x, across))));
  return upright(g, matmul(g, x, direction));
}

/** The unit eigenvector [N, n, 1] of the eigenvalue of largest magnitude of a symmetric matrix [N, n, n]. */
export function dominant(g: GraphBuilder, matrix: Value): Value {
  const [batch, size] = g.shape(matrix) as [number, number];
  const tame = (m: Value) => div(g, m, shift(g, maximum(g, g.emit('Abs', [m]), [1, 2]), 1e-30));
  let power = tame(matrix);
  if (size <= squared) for (let i = 0; i < squarings; i++) power = tame(matmul(g, power, power));
  // The longest column is no stranger to the vector that all columns lean to.
  const lengths = sum(g, mul(g, power, power), [1], false);
  const longest = g.emit('OneHot', [
    g.emit('ArgMax', [lengths], { axis: 1, keepdims: 0 }),
    g.ints([size]),
    g.floats([2], [0, 1]),
  ]);
  let vector = unit(g, matmul(g, power, reshape(g, longest, [batch, size, 1])));
  for (let i = 0; i < (size <= squared ? 2 : applications); i++)
    vector = unit(g, matmul(g, size <= squared ? tame(matrix) : power, vector));
  return vector;
}

const unit = (g: GraphBuilder, vector: Value): Value =>
  div(g, vector, shift(g, g.emit('Sqrt', [sum(g, mul(g, vector, vector), [1])]), 1e-30));

/** The sign under which the entry of largest magnitude of [N, n, 1] is positive. */
export function upright(g: GraphBuilder, vector: Value): Value {
  const high = maximum(g, vector, [1]);
  const low = maximum(g, g.emit('Neg', [vector]), [1]);
  return mul(g, vector, where(g, g.emit('GreaterOrEqual', [high, low]), g.scalar(1), g.scalar(-1)));
}

/** Places along the first component of kernel PCA with the kernel tanh(x·y/C + 1), [N, h·w, 1]. */
export function kernelScores(g: GraphBuilder, x: Value): Value {
  const channels = g.shape(x)[2]!;
  const products = matmul(g, x, transpose(g, x, [0, 2, 1]));
  const kernel = g.emit('Tanh', [shift(g, scale(g, products, 1 / channels), 1)]);
  const rows = mean(g, kernel, [1]);
  const centre = add(g, sub(g, sub(g, kernel, rows), mean(g, kernel, [2])), mean(g, rows, [2]));
  const vector = dominant(g, centre);
  const value = sum(g, mul(g, vector, matmul(g, centre, vector)), [1]);
  return upright(g, mul(g, vector, g.emit('Sqrt', [g.emit('Abs', [value])])));
}
