/**
 * Computes the linear map from targets to coefficients of a weighted least-squares fit with intercept,
 *
 *     β = (XᵀWX)⁻¹ XᵀW y   without the intercept's row,
 *
 * as [sample][coefficient]. `design` [S][M], `weights` [S]. Directions in which samples do not differ get zero.
 */
export function fit(design: readonly (readonly number[])[], weights: readonly number[]): number[][] {
  const total = weights.reduce((a, b) => a + b, 0);
  const count = design[0]!.length;
  const means = Array.from(
    { length: count },
    (_, m) => design.reduce((sum, row, s) => sum + weights[s]! * row[m]!, 0) / total,
  );
  const centred = design.map((row) => row.map((v, m) => v - means[m]!));
  const gram = means.map((_, a) =>
    means.map((_, b) => centred.reduce((sum, row, s) => sum + weights[s]! * row[a]! * row[b]!, 0)),
  );
  const ridge = (1e-13 * gram.reduce((sum, row, m) => sum + row[m]!, 0)) / count;
  gram.forEach((row, m) => {
    row[m]! += ridge;
  });
  const factor = cholesky(gram);
  return centred.map((row, s) =>
    solved(
      factor,
      row.map((v) => v * weights[s]!),
    ),
  );
}

/** Computes the lower triangular L with L·Lᵀ = `matrix`. */
function cholesky(matrix: readonly (readonly number[])[]): number[][] {
  const lower = matrix.map((row) => row.map(() => 0));
  matrix.forEach((row, i) => {
    for (let j = 0; j <= i; j++) {
      let rest = row[j]!;
      for (let k = 0; k < j; k++) rest -= lower[i]![k]! * lower[j]![k]!;
      lower[i]![j] = i === j ? Math.sqrt(Math.max(rest, Number.MIN_VALUE)) : rest / lower[j]![j]!;
    }
  });
  return lower;
}

/** Solves L·Lᵀ·x = b for x. */
function solved(lower: readonly (readonly number[])[], b: readonly number[]): number[] {
  const x = [...b];
  for (let i = 0; i < x.length; i++) {
    for (let k = 0; k < i; k++) x[i]! -= lower[i]![k]! * x[k]!;
    x[i]! /= lower[i]![i]!;
  }
  for (let i = x.length - 1; i >= 0; i--) {
    for (let k = i + 1; k < x.length; k++) x[i]! -= lower[k]![i]! * x[k]!;
    x[i]! /= lower[i]![i]!;
  }
  return x;
}
