import { expect } from 'vitest';
import type { Tensor } from '../tensor.ts';

const largest = ({ data }: Tensor): number => Math.max(...(data as Float32Array).map(Math.abs));

/**
 * Expects the same shape, and differences of at most 2·10⁻⁶ of the largest value, which is the effect of the order of
 * sums in float32. If the compared values are differences between values of `of`, its largest value counts if larger.
 */
export function expectClose(found: Tensor, expected: Tensor, of: Tensor = expected): void {
  expect(found.shape).toEqual(expected.shape);
  const scale = Math.max(largest(expected), largest(of)) || 1;
  const [a, b] = [found.data as Float32Array, expected.data as Float32Array];
  expect(Math.max(...a.map((v, i) => Math.abs(v - b[i]!) / scale))).toBeLessThan(2e-6);
}
