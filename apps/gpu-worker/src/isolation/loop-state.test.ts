import { largestCheckpoint } from '@whylight/contract';
import { expect, test } from 'vitest';
import { loopStateSchema } from './loop-state.ts';

const tensor = (...shape: number[]) => ({
  dtype: 'float32',
  shape,
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
});
const state = {
  ...{ loop: 0, done: 8, sums: { sum: tensor(1, 3, 4, 4) }, chunks: [4], completed: 8, total: 20 },
};

test('a state is taken as it is', () => {
  expect(loopStateSchema.parse(state)).toEqual(state);
});

test.each([
  ['a tensor of another size', { sums: { sum: { ...tensor(1, 3), shape: [1, 4] } } }],
  ['another array', { sums: { sum: { ...tensor(3), data: [1, 2, 3] } } }],
  ['another type', { sums: { sum: { ...tensor(3), dtype: 'int64' } } }],
  ['a tensor by a name that every object inherits', { sums: JSON.parse('{"__proto__": 1}') }],
  ['more samples than there are', { completed: 21 }],
  ['fewer samples than none', { completed: -1 }],
  ['half a sample', { done: 0.5 }],
  ['chunks of nothing', { chunks: [0] }],
  ['no samples', { total: 0, completed: 0 }],
  ['more than a checkpoint may have', { sums: { sum: tensor(largestCheckpoint / 4 + 1) } }],
])('a state with %s is none', (_, change) => {
  expect(loopStateSchema.safeParse({ ...state, ...change }).success).toBe(false);
});
