import type { Expression } from '../../onnx/expression.ts';

// The first principal component of feature maps, by powers of a matrix: ONNX graphs have no eigenvectors.

/** The number of squarings of a matrix: in its 2¹²th power only the largest eigenvalue remains. */
const squarings = 12;
/** Matrices larger than this are multiplied by vectors, not squared. */
const squared = 800;
const applications = 200;

/** Reshapes [N, C, h, w] to places × channels, [N, h·w, C]. */
export function places(maps: Expression): Expression {
  const [n, c, h, w] = maps.shape as [number, number, number, number];
  return maps.reshape([n, c, h * w]).transpose([0, 2, 1]);
}

/** Makes a map [N, h, w] from maps [N, C, h, w]: the value of a place is its score among the centred places. */
export function principalMap(maps: Expression, scores = principalScores): Expression {
  const [n, , h, w] = maps.shape as [number, number, number, number];
  return scores(centred(places(maps))).reshape([n, h, w]);
}

export const centred = (x: Expression): Expression => x.sub(x.mean([1]));

/** Projects places [N, h·w, C] on their first principal direction, [N, h·w, 1], the largest magnitude positive. */
export function principalScores(x: Expression): Expression {
  const [, rows, columns] = x.shape as [number, number, number];
  const across = x.transpose([0, 2, 1]);
  if (columns <= rows) return upright(x.matmul(dominant(across.matmul(x))));
  const direction = unit(across.matmul(dominant(x.matmul(across))));
  return upright(x.matmul(direction));
}

/** Finds the unit eigenvector [N, n, 1] of a symmetric matrix [N, n, n] for its eigenvalue of largest magnitude. */
export function dominant(matrix: Expression): Expression {
  const [batch, size] = matrix.shape as [number, number];
  const tame = (m: Expression) => m.div(m.abs().max([1, 2]).add(1e-30));
  let power = tame(matrix);
  if (size <= squared) for (let i = 0; i < squarings; i++) power = tame(power.matmul(power));
  // The longest column is not orthogonal to the dominant eigenvector.
  const lengths = power.square().sum([1], false);
  const longest = lengths.emit('ArgMax', [], { axis: 1, keepdims: 0 }).oneHot(size);
  let vector = unit(power.matmul(longest.reshape([batch, size, 1])));
  for (let i = 0; i < (size <= squared ? 2 : applications); i++)
    vector = unit((size <= squared ? tame(matrix) : power).matmul(vector));
  return vector;
}

const unit = (vector: Expression): Expression => vector.div(vector.square().sum([1]).sqrt().add(1e-30));

/** Changes the sign of [N, n, 1] so that its entry of largest magnitude is positive. */
export function upright(vector: Expression): Expression {
  const [high, low] = [vector.max([1]), vector.neg().max([1])];
  return vector.mul(high.isAtLeast(low).where(1, -1));
}

/** Projects places on the first component of kernel PCA with the kernel tanh(x·y/C + 1), [N, h·w, 1]. */
export function kernelScores(x: Expression): Expression {
  const channels = x.shape[2]!;
  const products = x.matmul(x.transpose([0, 2, 1]));
  const kernel = products
    .mul(1 / channels)
    .add(1)
    .tanh();
  const rows = kernel.mean([1]);
  const centre = kernel
    .sub(rows)
    .sub(kernel.mean([2]))
    .add(rows.mean([2]));
  const vector = dominant(centre);
  const value = vector.mul(centre.matmul(vector)).sum([1]);
  return upright(vector.mul(value.abs().sqrt()));
}
