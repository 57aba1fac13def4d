import { expect, it } from 'vitest';
import { renderChart } from './render-chart.ts';

const rows = [
  { name: 'grad-cam', baseline: false },
  { name: 'saliency', baseline: false },
  { name: 'random', baseline: true },
];
const blue = [31, 95, 174];
const count = (data: Uint8Array, [r, g, b]: readonly number[]) => {
  let pixels = 0;
  for (let i = 0; i < data.length; i += 3)
    if (data[i] === r && data[i + 1] === g && data[i + 2] === b) pixels++;
  return pixels;
};
const draw = async (better: 'high' | 'low' | null, values: (number | null)[], columns = 1) =>
  (
    await renderChart({
      title: 'shapes',
      rows,
      columns: Array(columns).fill({ title: 'mass', better, values }),
    })
  ).picture;

it('colours the best method, never a baseline', async () => {
  const high = await draw('high', [0.5, 0.25, 1]);
  const low = await draw('low', [0.5, 0.25, 0.1]);
  const none = await draw(null, [0.5, 0.25, 1]);
  // The longest bar is 128 pixels of 17 in height.
  expect(count(high.data, blue)).toBe(64 * 17);
  expect(count(low.data, blue)).toBe(64 * 17);
  expect(count(none.data, blue)).toBe(0);
});

it('draws no bar where there is no value, and columns below each other where they are many', async () => {
  const one = await draw('high', [null, 0.25, 1], 5);
  const two = await draw('high', [null, 0.25, 1], 6);
  expect(count(one.data, blue)).toBe(5 * 32 * 17);
  expect(count(two.data, blue)).toBe(6 * 32 * 17);
  expect([two.width, two.height > one.height + 100]).toEqual([one.width, true]);
});
