import { describe, expect, test } from 'vitest';
import { floatMap, picture } from '../image/picture.ts';
import { colormaps } from './colormaps.ts';
import { type CompositeOptions, composite, onWhite, paintLayer } from './layer.ts';
import { palettes, type Ramp, rampOf } from './ramp.ts';
import type { ScaledAttribution } from './scale.ts';

/** Four by four, every pixel [10, 20, 30]; the map covers it pixel by pixel. */
const photo = picture(
  4,
  4,
  Uint8Array.from({ length: 48 }, (_, i) => [10, 20, 30][i % 3]!),
);
const whole = { x: 0, y: 0, width: 4, height: 4 };
const spot = [0, 0, 0, 0, 0, 1, -1, 0, 0, 0.5, 0, 0, 0, 0, 0, 0];
const scaled = (change: Partial<ScaledAttribution> = {}, values = spot): ScaledAttribution => ({
  values: floatMap(4, 4, Float32Array.from(values)),
  ...{
    shown: 'both',
    unit: 'own',
    end: 1,
    endPercentile: 100,
    hiddenTo: 0,
    hiddenPercentile: 0,
    isMap: true,
  },
  ...change,
});
const strong = rampOf('both', 1);
const draw = (
  change: Partial<ScaledAttribution> = {},
  options: CompositeOptions = {},
  {
    ramp = strong,
    region = whole,
    values = spot,
  }: { ramp?: Ramp; region?: typeof whole; values?: number[] } = {},
) => {
  const { data } = composite(photo, scaled(change, values), region, ramp, options);
  return (x: number, y: number) => [...data.subarray((y * 4 + x) * 3, (y * 4 + x) * 3 + 3)];
};
const [orange, purple] = [[...palettes.orangePurple.for], [...palettes.orangePurple.against]];

describe('over the photo', () => {
  test('colours show the sign, their opacity the strength, and where nothing is the photo stays as it is', () => {
    const at = draw();
    expect([at(0, 0), at(1, 1), at(2, 1)]).toEqual([[10, 20, 30], orange, purple]);
    // rampIndex(0.5) is entry 383 of 510: a strength of 128 / 255.
    expect(at(1, 2)).toEqual(
      [10, 20, 30].map((level, c) => Math.round((level * 127 + orange[c]! * 128) / 255)),
    );
  });

  test('hiding the weakest hides them, and changes no other pixel', () => {
    const [all, strongest] = [draw(), draw({ hiddenTo: 0.5 })];
    expect(strongest(1, 2)).toEqual([10, 20, 30]);
    for (let y = 0; y < 4; y++)
      for (let x = 0; x < 4; x++) if (x !== 1 || y !== 2) expect(strongest(x, y)).toEqual(all(x, y));
  });

  test('a named colour map gives the colours from end to end', () => {
    const at = draw({}, {}, { ramp: rampOf('both', 1, { colormap: 'RdWhGn' }) });
    const ends = [255, 0].map((i) => [...colormaps.RdWhGn.subarray(i * 3, i * 3 + 3)]);
    expect([at(1, 1), at(2, 1)]).toEqual(ends);
  });

  test.each([
    ['grayscale', [18, 18, 18], orange],
    ['none', [0, 0, 0], orange],
    ['mask_black', [0, 0, 0], [10, 20, 30]],
  ] as const)('lies on %s', (backdrop, aside, full) => {
    const at = draw({}, { backdrop });
    expect([at(0, 0), at(1, 1)]).toEqual([aside, full]);
    if (backdrop === 'mask_black') expect(at(1, 2)).toEqual([5, 10, 15]);
  });

  test('outlines an area: its edge in the strongest colour, its inside as the photo is', () => {
    const big = picture(7, 7, new Uint8Array(147).fill(7));
    const block = Float32Array.from({ length: 49 }, (_, p) =>
      p % 7 > 0 && p % 7 < 6 && p > 6 && p < 42 ? 0.2 : 0,
    );
    const values = { ...scaled({ shown: 'for' }), values: floatMap(7, 7, block) };
    const region = { ...whole, width: 7, height: 7 };
    const { data } = composite(big, values, region, rampOf('for', 1), { outlines: true });
    const rows = Array.from({ length: 7 }, (_, y) =>
      Array.from({ length: 7 }, (__, x) => (data[(y * 7 + x) * 3] === 230 ? '#' : '.')).join(''),
    );
    expect(rows).toEqual(['.......', '.#####.', '.#...#.', '.#...#.', '.#...#.', '.#####.', '.......']);
  });

  test('a map of one sign has no colour where the enlarging filter overshoots to the other', () => {
    const data = paintLayer(scaled({ shown: 'for' }), rampOf('for', 1), 4, 4).data;
    expect([data[6 * 4 + 3], data[5 * 4 + 3]]).toEqual([0, 255]);
  });
});

test('a contour surrounds what has at least half of the strength: white inside, dark outside', () => {
  const row = floatMap(8, 1, Float32Array.of(0, 0.2, 0.49, 0.5, 1, 1, 0.6, 0));
  const values = { ...scaled({ shown: 'for' }), values: row };
  const grey = picture(8, 1, new Uint8Array(24).fill(100));
  const draws = (contour: boolean) => {
    const { data } = composite(grey, values, { ...whole, width: 8, height: 1 }, rampOf('for', 1), {
      contour,
    });
    return Array.from({ length: 8 }, (_, x) => data[x * 3 + 2]!);
  };
  const [plain, lined] = [draws(false), draws(true)];
  const at = (x: number, level: number) => Math.round((plain[x]! + 4 * level) / 5);
  expect(lined).toEqual([plain[0], plain[1], at(2, 0), at(3, 255), plain[4], plain[5], at(6, 255), at(7, 0)]);
});

describe('a crop', () => {
  const ones = Array(16).fill(1);

  test('is framed, and the photo is darker where the network saw nothing', () => {
    const values = { ...scaled({}, ones), values: floatMap(2, 2, Float32Array.from([0, 0, 0, 0])) };
    const wide = picture(8, 4, new Uint8Array(96).fill(100));
    const { data } = composite(wide, values, { x: 3, y: 0, width: 2, height: 4 }, strong);
    const row = Array.from({ length: 8 }, (_, x) => data[(8 + x) * 3]);
    expect(row).toEqual([45, 45, 255, 100, 100, 255, 45, 45]);
  });

  test('that reaches beyond the photo draws what lies on it', () => {
    const at = draw({}, {}, { values: ones, region: { x: -2, y: 2, width: 4, height: 4 } });
    expect([at(0, 2), at(1, 3), at(2, 2), at(3, 2), at(0, 1), at(0, 0)]).toEqual([
      orange,
      orange,
      [255, 255, 255],
      [5, 9, 14],
      [255, 255, 255],
      [5, 9, 14],
    ]);
  });

  test('of the whole photo is not framed', () => {
    expect(draw({}, {}, { values: Array(16).fill(0) })(0, 0)).toEqual([10, 20, 30]);
  });
});

test('the heat map is the same layer over white', () => {
  const layer = paintLayer(scaled(), strong, 4, 4).data;
  const white = onWhite(scaled(), strong, whole).data;
  expect([...white.subarray(15, 18)]).toEqual(orange);
  expect([...white.subarray(0, 3)]).toEqual([255, 255, 255]);
  expect([...layer.subarray(0, 4)][3]).toBe(0);
});
