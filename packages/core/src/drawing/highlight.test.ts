import { describe, expect, test } from 'vitest';
import { floatMap, picture } from '../image/picture.ts';
import { colormaps } from './colormaps.ts';
import { type HighlightOptions, highlight, percentiles } from './highlight.ts';

/** Four by four, every pixel [10, 20, 30]; the map covers it pixel by pixel. */
const photo = picture(
  4,
  4,
  Uint8Array.from({ length: 48 }, (_, i) => [10, 20, 30][i % 3]!),
);
const whole = { x: 0, y: 0, width: 4, height: 4 };
const map = (values: readonly number[]) => floatMap(4, 4, Float32Array.from(values));
const spot = map([0, 0, 0, 0, 0, 1, -1, 0, 0, 0.5, 0, 0, 0, 0, 0, 0]);
const plain: HighlightOptions = {
  ...{ from: 0, to: 1, signed: false, colormap: 'gray', opacity: 1, backdrop: 'original', outlines: false },
};
const draw = (change: Partial<HighlightOptions>, values = spot, region = whole) => {
  const { data } = highlight(photo, values, region, { ...plain, ...change });
  return (x: number, y: number) => [...data.subarray((y * 4 + x) * 3, (y * 4 + x) * 3 + 3)];
};
const colour = (name: keyof typeof colormaps, index: number) => [
  ...colormaps[name].subarray(index * 3, index * 3 + 3),
];

describe('highlight', () => {
  test('colours what counts by its magnitude and leaves the rest of the photo as it is', () => {
    const at = draw({});
    expect([at(0, 0), at(1, 1), at(2, 1), at(1, 2)]).toEqual([
      [10, 20, 30],
      [255, 255, 255],
      [255, 255, 255],
      [128, 128, 128],
    ]);
  });

  test('is exact at half opacity: ground + opacity · (colour - ground)', () => {
    expect(draw({ opacity: 0.5 })(1, 1)).toEqual([133, 138, 143]);
  });

  test('begins at `from`, ends at `to`', () => {
    const at = draw({ from: 0.5, to: 0.75 });
    expect([at(1, 2), at(1, 1)]).toEqual([
      [10, 20, 30],
      [255, 255, 255],
    ]);
    expect(draw({ from: 0, to: 0.5 })(1, 2)).toEqual([255, 255, 255]);
  });

  test('shows signs in the two halves of the colour map', () => {
    const at = draw({ signed: true, colormap: 'RdWhGn' });
    expect([at(1, 1), at(2, 1)]).toEqual([colour('RdWhGn', 255), colour('RdWhGn', 0)]);
  });

  test.each([
    ['grayscale', [18, 18, 18], [255, 255, 255]],
    ['none', [0, 0, 0], [255, 255, 255]],
    ['mask_black', [0, 0, 0], [10, 20, 30]],
  ] as const)('lies on %s', (backdrop, aside, full) => {
    const at = draw({ backdrop });
    expect([at(0, 0), at(1, 1)]).toEqual([aside, full]);
    if (backdrop === 'mask_black') expect(at(1, 2)).toEqual([5, 10, 15]);
  });

  test('outlines an area: its edge in colours, its inside as the photo is', () => {
    const big = picture(7, 7, new Uint8Array(147).fill(7));
    const block = Float32Array.from({ length: 49 }, (_, p) =>
      p % 7 > 0 && p % 7 < 6 && p > 6 && p < 42 ? 1 : 0,
    );
    const { data } = highlight(
      big,
      floatMap(7, 7, block),
      { ...whole, width: 7, height: 7 },
      {
        ...plain,
        outlines: true,
      },
    );
    const rows = Array.from({ length: 7 }, (_, y) =>
      Array.from({ length: 7 }, (__, x) => (data[(y * 7 + x) * 3] === 255 ? '#' : '.')).join(''),
    );
    expect(rows).toEqual(['.......', '.#####.', '.#...#.', '.#...#.', '.#...#.', '.#####.', '.......']);
  });

  test('reaches beyond the photo, and leaves what lies beside the region', () => {
    const ones = map(Array(16).fill(1));
    const at = draw({}, ones, { x: -2, y: 2, width: 4, height: 4 });
    expect([at(0, 2), at(1, 3), at(2, 2), at(0, 1)]).toEqual([
      [255, 255, 255],
      [255, 255, 255],
      [10, 20, 30],
      [10, 20, 30],
    ]);
    expect(draw({}, ones, { x: 9, y: 9, width: 4, height: 4 })(3, 3)).toEqual([10, 20, 30]);
  });

  test.each([{ opacity: 0 }, { opacity: 1.1 }, { from: 1, to: 1 }])('refuses %j', (change) => {
    expect(() => draw(change)).toThrow(/highlight/);
  });
});

test('percentiles are magnitudes that so many percent of the values do not exceed', () => {
  const values = Float32Array.from([-4, 1, 2, -3]);
  expect(percentiles(values, 0, 100)).toEqual([0, 4]);
  expect(percentiles(values, 50, 75)).toEqual([2, 3]);
  expect(percentiles(values, 51, 100)).toEqual([3, 4]);
});
