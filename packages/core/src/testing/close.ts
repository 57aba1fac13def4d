import { expect } from 'vitest';
import type { Tensor } from '../tensor.ts';

const largest = ({ data }: Tensor): number => Math.max(...(data as Float32Array).map(Math.abs));

/**
 * Of the same shape, and nowhere further apart than 2·10⁻⁶ of the largest value, which is what the order of sums makes
 * in float32; of the largest value of `of`, if that is larger, where what is compared are differences between its values.
 */
export function expectClose(found: Tensor, expected: Tensor, of: Tensor = expected): void {
  expect(found.shape).toEqual(expected.shape);
  const scale = Math.max(largest(expected), largest(of)) || 1;
  const [a, b] = [found.data as Float32Array, expected.data as Float32Array];
  expect(Math.max(...a.map((v, i) => Math.abs(v - b[i]!) / scale))).toBeLessThan(2e-6);
}
