import { expect, it } from 'vitest';
import { softmax } from './softmax.ts';

it('softmax adds up to one and survives large scores', () => {
  const p = softmax(Float32Array.of(1000, 1001, -1000));
  expect(p[0]).toBeCloseTo(1 / (1 + Math.E), 6);
  expect(p[1]).toBeCloseTo(Math.E / (1 + Math.E), 6);
  expect(p[2]).toBe(0);
});
