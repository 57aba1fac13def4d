import { methods } from '@whylight/core/methods';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { computeUnits, methodCost } from './compute-units.ts';

const sizes = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 3, maxLength: 3 });
const units = (parameters: object, shape: readonly number[]): number =>
  computeUnits({ method: 'occlusion', parameters: parameters as never }, shape);

/** How many windows a loop really places: the first one at 0, the last one reaching the end. */
function places(size: number, window: number, stride: number): number {
  let count = 1;
  for (let at = 0; at + window < size; at += stride) count++;
  return count;
}

test('a sliding window costs the places that it is put to', () => {
  fc.assert(
    fc.property(sizes, sizes, sizes, (shape, window, strides) => {
      const expected = shape.reduce((all, size, i) => all * places(size, window[i]!, strides[i]!), 1);
      expect(units({ sliding_window_shapes: window, strides }, shape)).toBe(expected);
    }),
    { numRuns: 300 },
  );
});

test('repetitions multiply, whatever other parameters there are, and nothing is free', () => {
  const names = ['n_steps', 'n_samples', 'num_samples', 'nt_samples', 'n_masks'];
  const counts = fc.dictionary(fc.constantFrom(...names), fc.nat(500));
  const others = fc.dictionary(fc.constantFrom('sigma', 'base', 'toString', 'perturbations'), fc.anything());
  fc.assert(
    fc.property(counts, others, sizes, (repeated, other, shape) => {
      const expected = Object.values(repeated).reduce((product, n) => product * Math.max(1, n), 1);
      expect(units({ ...other, ...repeated }, shape)).toBe(expected);
    }),
  );
  expect(units(Object.create({ n_steps: 50 }), [3, 4, 4])).toBe(1);
});

test('more steps, samples or places never cost less', () => {
  fc.assert(
    fc.property(sizes, fc.nat(99), fc.nat(99), (shape, n, more) => {
      expect(units({ n_steps: n + more }, shape)).toBeGreaterThanOrEqual(units({ n_steps: n }, shape));
      const window = (stride: number) => ({ sliding_window_shapes: [3, 5, 5], strides: [3, stride, stride] });
      expect(units(window(n + 1), shape)).toBeGreaterThanOrEqual(units(window(n + 1 + more), shape));
    }),
  );
});

test.each(methods.map(({ id }) => id))(
  '%s says what it costs, with a formula that gives the same number',
  (id) => {
    const { formula, default_units } = methodCost(id, [3, 128, 128]);
    expect(Number.isInteger(default_units) && default_units >= 1).toBe(true);
    expect(formula === '1').toBe(default_units === 1 && !formula.includes('n'));
  },
);
