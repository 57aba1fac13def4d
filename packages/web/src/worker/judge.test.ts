import { float32, type Tensor } from '@whylight/core';
import { expect, test } from 'vitest';
import { judge, judgeRuns } from './judge.ts';

const side = 14;
/** A network that looks at the left half of a grey image only. */
const weights = Float32Array.from({ length: side * side }, (_, i) => (i % side < side / 2 ? 1 : 0));
const scoreOne = async ({ data }: Tensor<'float32'>) =>
  data.reduce((sum, value, i) => sum + value * weights[i]!, 0);
const input = float32([1, 1, side, side], new Float32Array(side * side).fill(1));
const judged = (values: Float32Array, onProgress = (_: number) => {}) =>
  judge(scoreOne, input, { values, width: side, height: side }, 'NCHW', onProgress);

test('a map of what the network uses changes the score sooner than chance; the opposite map later', async () => {
  const { map, chance } = await judged(weights);
  const middle = map.fractions.findIndex((fraction) => fraction >= 0.5);
  expect([map.deletion[0], map.deletion.at(-1)]).toEqual([98, 0]);
  expect(map.deletion[middle]!).toBeLessThan(chance.deletion[middle]! - 15);
  expect(map.insertion[middle]!).toBeGreaterThan(chance.insertion[middle]! + 15);
  const opposite = await judged(weights.map((weight) => -weight));
  expect(opposite.map.deletion[middle - 1]!).toBeGreaterThan(opposite.chance.deletion[middle - 1]! + 15);
  expect((await judged(weights)).chance).toEqual(chance);
});

test('it says how far it is, and runs the network as often as it says', async () => {
  const parts: number[] = [];
  await judged(weights, (part) => parts.push(part));
  expect(parts).toHaveLength(judgeRuns);
  expect(parts.at(-1)).toBe(1);
});

test('a map of another size is brought to that of the input', async () => {
  const small = await judge(
    scoreOne,
    input,
    { values: Float32Array.from({ length: 49 }, (_, i) => (i % 7 < 3 ? 1 : 0)), width: 7, height: 7 },
    'NCHW',
    () => {},
  );
  const middle = small.map.fractions.findIndex((fraction) => fraction >= 0.5);
  expect(small.map.deletion[middle]!).toBeLessThan(small.chance.deletion[middle]! - 15);
});
