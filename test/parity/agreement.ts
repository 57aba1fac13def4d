/** Distances between values and reference values, relative to the reference's largest magnitude (or length). */
export interface Agreement {
  readonly max: number;
  /** 99.9 % quantile */
  readonly p999: number;
  readonly relL2: number;
  readonly pearson: number;
}

type Values = ArrayLike<number>;

export function agreement(actual: Values, expected: Values): Agreement {
  const n = expected.length;
  if (actual.length !== n) throw new Error(`${actual.length} values against ${n} of the reference`);
  const differences = new Float64Array(n);
  let [largest, squares, expectedSquares] = [0, 0, 0];
  let [meanA, meanE] = [0, 0];
  for (let i = 0; i < n; i++) {
    const [a, e] = [actual[i]!, expected[i]!];
    differences[i] = Math.abs(a - e);
    largest = Math.max(largest, Math.abs(e));
    squares += (a - e) ** 2;
    expectedSquares += e * e;
    meanA += a / n;
    meanE += e / n;
  }
  let [covariance, varianceA, varianceE] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    const [a, e] = [actual[i]! - meanA, expected[i]! - meanE];
    covariance += a * e;
    varianceA += a * a;
    varianceE += e * e;
  }
  const sorted = differences.sort();
  const scale = largest || 1;
  return {
    max: sorted[n - 1]! / scale,
    p999: sorted[Math.min(n - 1, Math.ceil(0.999 * n) - 1)]! / scale,
    relL2: Math.sqrt(squares) / (Math.sqrt(expectedSquares) || 1),
    pearson: varianceA === 0 && varianceE === 0 ? 1 : covariance / Math.sqrt(varianceA * varianceE),
  };
}

/** Required limits; an absent limit is not checked. */
export type Tolerance = Partial<Agreement>;

/** Describes the limits of a tolerance that do not hold; `null` if all hold. */
export function disagreement(found: Agreement, tolerance: Tolerance): string | null {
  const failed = Object.entries(tolerance).filter(([name, limit]) => {
    const value = found[name as keyof Agreement];
    return !(name === 'pearson' ? value >= limit : value <= limit);
  });
  if (failed.length === 0) return null;
  return failed
    .map(([name, limit]) => `${name} is ${found[name as keyof Agreement].toExponential(2)}, allowed ${limit}`)
    .join('; ');
}
