import { describe, expect, it } from 'vitest';
import { type Quadrature, quadrature, quadratures } from './quadrature.ts';

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

describe('A quadrature', () => {
  it.each<[Quadrature, number, number[], number[]]>([
    ['riemann_left', 2, [0, 1 / 2], [1 / 2, 1 / 2]],
    ['riemann_left', 3, [0, 1 / 3, 2 / 3], [1 / 3, 1 / 3, 1 / 3]],
    ['riemann_right', 2, [1 / 2, 1], [1 / 2, 1 / 2]],
    ['riemann_right', 3, [1 / 3, 2 / 3, 1], [1 / 3, 1 / 3, 1 / 3]],
    ['riemann_middle', 2, [1 / 4, 3 / 4], [1 / 2, 1 / 2]],
    ['riemann_middle', 4, [1 / 8, 3 / 8, 5 / 8, 7 / 8], [1 / 4, 1 / 4, 1 / 4, 1 / 4]],
    ['riemann_trapezoid', 2, [0, 1], [1 / 4, 1 / 4]],
    ['riemann_trapezoid', 3, [0, 1 / 2, 1], [1 / 6, 1 / 3, 1 / 6]],
    ['riemann_trapezoid', 4, [0, 1 / 3, 2 / 3, 1], [1 / 8, 1 / 4, 1 / 4, 1 / 8]],
    ['gausslegendre', 1, [1 / 2], [1]],
    ['gausslegendre', 2, [0.5 - Math.sqrt(3) / 6, 0.5 + Math.sqrt(3) / 6], [1 / 2, 1 / 2]],
    ['gausslegendre', 3, [0.5 - Math.sqrt(15) / 10, 0.5, 0.5 + Math.sqrt(15) / 10], [5 / 18, 8 / 18, 5 / 18]],
  ])('by %s at %i points is the known table', (kind, n, alphas, weights) => {
    const found = quadrature(kind, n);
    expect(found.alphas).toEqual(alphas.map((alpha) => expect.closeTo(alpha, 14)));
    expect(found.weights).toEqual(weights.map((weight) => expect.closeTo(weight, 14)));
  });

  it.each(quadratures)('by %s weighs everything, but for the trapezoid, which has (n - 1)/n', (kind) => {
    for (const n of [2, 3, 7, 50, 1000])
      expect(sum(quadrature(kind, n).weights)).toBeCloseTo(
        kind === 'riemann_trapezoid' ? (n - 1) / n : 1,
        12,
      );
  });

  it('by Gauss–Legendre integrates polynomials of degree 2n - 1 exactly', () => {
    for (const n of [1, 2, 5, 10, 20]) {
      const { alphas, weights } = quadrature('gausslegendre', n);
      for (let degree = 0; degree < 2 * n; degree++)
        expect(
          sum(alphas.map((alpha, i) => weights[i]! * alpha ** degree)),
          `n ${n}, degree ${degree}`,
        ).toBeCloseTo(1 / (degree + 1), 13);
    }
  });

  it('has its points in [0, 1] in rising order', () => {
    for (const kind of quadratures) {
      const { alphas } = quadrature(kind, 50);
      expect(alphas).toEqual(alphas.toSorted((a, b) => a - b));
      expect(alphas[0]).toBeGreaterThanOrEqual(0);
      expect(alphas.at(-1)).toBeLessThanOrEqual(1);
    }
  });
});
