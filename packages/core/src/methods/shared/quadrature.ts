import { z } from 'zod';
import { float32, type Tensor } from '../../tensor.ts';
import type { Samples } from '../method.ts';
import { perRow } from './noise.ts';
import { replayed } from './replayed.ts';

export const quadratures = [
  'gausslegendre',
  'riemann_left',
  'riemann_right',
  'riemann_middle',
  'riemann_trapezoid',
] as const;
export type Quadrature = (typeof quadratures)[number];

export const pathParams = {
  n_steps: z.int().min(1).max(1000).default(50).describe('Points on the path'),
  quadrature: z
    .enum(quadratures)
    .default('gausslegendre')
    .describe('How the integral along the path is approximated'),
};

/** Points in [0, 1] and their weights. */
export interface Rule {
  readonly alphas: readonly number[];
  readonly weights: readonly number[];
}

/**
 * Gives the points and weights of a quadrature with `n` points on [0, 1], as in Captum: the trapezoid's weights
 * add up to (n - 1)/n there, not to 1.
 */
export function quadrature(kind: Quadrature, n: number): Rule {
  if (kind === 'gausslegendre') return gaussLegendre(n);
  const even = (offset: number) => Array.from({ length: n }, (_, i) => (i + offset) / n);
  const equal = Array<number>(n).fill(1 / n);
  switch (kind) {
    case 'riemann_left':
      return { alphas: even(0), weights: equal };
    case 'riemann_right':
      return { alphas: even(1), weights: equal };
    case 'riemann_middle':
      return { alphas: even(0.5), weights: equal };
    case 'riemann_trapezoid': {
      const alphas = Array.from({ length: n }, (_, i) => (n === 1 ? 0 : i / (n - 1)));
      return { alphas, weights: equal.map((w, i) => (i === 0 || i === n - 1 ? w / 2 : w)) };
    }
  }
}

/** Gives points and weights as samples [points, 1, 1, 1]; recorded points and weights replace them. */
export function quadraturePoints(rule: Rule, aux: Samples = {}) {
  const list = (values: readonly number[]) => float32([values.length], values);
  const { alphas, weights } = replayed({ alphas: list(rule.alphas), weights: list(rule.weights) }, aux);
  const rows = ({ data }: Tensor) => perRow(Array.from(data as Float32Array));
  return { alphas: rows(alphas), weights: rows(weights) };
}

/** Computes Gauss–Legendre on [0, 1]: Newton's method on the Legendre polynomial P_n from Chebyshev-like guesses. */
function gaussLegendre(n: number): Rule {
  const points = Array.from({ length: n }, (_, i) => {
    let x = Math.cos((Math.PI * (i + 0.75)) / (n + 0.5));
    let slope = 0;
    for (let step = 0; step < 100; step++) {
      const { value, derivative } = legendre(n, x);
      slope = derivative;
      const next = x - value / derivative;
      const done = Math.abs(next - x) < 1e-16;
      x = next;
      if (done) break;
    }
    slope = legendre(n, x).derivative;
    return { alpha: (1 - x) / 2, weight: 1 / ((1 - x * x) * slope * slope) };
  });
  return { alphas: points.map((p) => p.alpha), weights: points.map((p) => p.weight) };
}

function legendre(n: number, x: number): { value: number; derivative: number } {
  let [before, value] = [1, x];
  for (let k = 2; k <= n; k++) [before, value] = [value, ((2 * k - 1) * x * value - (k - 1) * before) / k];
  return { value, derivative: (n * (x * value - before)) / (x * x - 1) };
}
