import { expect, it } from 'vitest';
import { floatMap } from '../image/picture.ts';
import { colormaps, colourIndex } from './colormaps.ts';
import { colorBar, heatmap } from './heatmap.ts';

const pixel = (data: Uint8Array, i: number) => [...data.subarray(i * 3, i * 3 + 3)];

it('colours a map between its minimum and maximum', () => {
  const signed = floatMap(3, 1, Float32Array.of(-1, 0, 2));
  const { data } = heatmap(signed, { width: 3, height: 1, colormap: 'RdWhGn', minimum: -1, maximum: 1 });
  expect([pixel(data, 0), pixel(data, 2)]).toEqual([
    [255, 0, 0],
    [0, 128, 0],
  ]);
  expect(Math.min(...pixel(data, 1))).toBeGreaterThan(250);
});

it('grows a map to the size asked for', () => {
  const map = floatMap(2, 1, Float32Array.of(0, 1));
  const grown = heatmap(map, { width: 40, height: 7, colormap: 'gray' });
  expect(grown).toMatchObject({ width: 40, height: 7 });
  const row = Array.from({ length: 40 }, (_, x) => grown.data[x * 3]!);
  expect(row).toEqual(row.toSorted((a, b) => a - b));
});

it('draws a constant scale without dividing by zero', () => {
  const map = floatMap(1, 1, Float32Array.of(0));
  expect(pixel(heatmap(map, { width: 1, height: 1, minimum: 0, maximum: 0 }).data, 0)).toEqual([0, 0, 127]);
});

it('stands a colour bar up, the largest value on top', () => {
  const bar = colorBar('jet', 2, 256);
  expect(pixel(bar.data, 0)).toEqual([...colormaps.jet.subarray(765)]);
  expect(pixel(bar.data, 2 * 255)).toEqual([...colormaps.jet.subarray(0, 3)]);
});

it('gives each line of a short colour bar the colour of its middle', () => {
  const bar = colorBar('gray', 1, 2);
  const middles = [0.75, 0.25].map((value) => colourIndex(value) * 3);
  expect([0, 1].map((y) => pixel(bar.data, y))).toEqual(
    middles.map((at) => [...colormaps.gray.subarray(at, at + 3)]),
  );
});
