import { describe, expect, test } from 'vitest';
import { floatMap, picture } from '../image/picture.ts';
import { float32 } from '../tensor.ts';
import { minMax } from './attribution.ts';
import { heatmap } from './heatmap.ts';
import { overlay } from './overlay.ts';
import { paint, paintOver, type Scenery } from './paint.ts';
import { palettes } from './ramp.ts';
import type { Style } from './style.ts';

const side = 8;
const region = { x: 0, y: 0, width: side, height: side };
const photo = picture(
  side,
  side,
  Uint8Array.from({ length: side * side * 3 }, (_, i) => (i * 37) % 256),
);
const values = (f: (p: number) => number) => Float32Array.from({ length: side * side }, (_, p) => f(p));
const map = (data = values((p) => p / (side * side - 1))): Scenery => ({
  ...{ photo, region, layout: 'NCHW', isPixels: false },
  attribution: float32([1, side, side], data),
});
const pixels = (data: Float32Array): Scenery => ({
  ...{ photo, region, layout: 'NCHW', isPixels: true },
  attribution: float32([1, 1, side, side], data),
});

describe('a map in a colour map that the style names, or in a library’s convention', () => {
  const { attribution } = map();
  const asIs = floatMap(side, side, attribution.data);
  const scaled = floatMap(side, side, minMax(attribution.data));

  test.each<[string, Style, string | undefined, Parameters<typeof overlay>[3]]>([
    ['jet', { colormap: 'jet' }, undefined, { colormap: 'jet' }],
    [
      'viridis, fainter',
      { colormap: 'viridis', opacity: 0.25 },
      undefined,
      { colormap: 'viridis', alpha: 0.75 },
    ],
    ['torchcam', {}, 'torchcam', {}],
    ['pytorch-grad-cam', { opacity: 0.5 }, 'pytorch-grad-cam', { alpha: 0.5 }],
  ])('%s: is drawn as torchcam does, bit for bit', (_, style, convention, options) => {
    const drawn = paint({ ...map(), style, convention });
    expect(drawn.explained).toEqual(overlay(photo, scaled, region, options));
    const size = { width: side, height: side };
    const { colormap = 'jet' } = options!;
    expect(drawn.alone(side, side)).toEqual(heatmap(asIs, { ...size, colormap, minimum: 0, maximum: 1 }));
    expect(drawn.legend.notes).toEqual([]);
  });
});

describe('overlay and heat map of one explanation', () => {
  const signed = pixels(values((p) => (p === 9 ? 3 : p === 20 ? -3 : 0)));
  const colourAt = (data: Uint8Array, p: number) => [...data.subarray(p * 3, p * 3 + 3)];

  test('show the same sign in the same colour', () => {
    const opaque = paint({ ...signed, style: { opacity: 1 } });
    for (const [p, colour] of [
      [9, palettes.orangePurple.for],
      [20, palettes.orangePurple.against],
    ] as const) {
      expect(colourAt(opaque.explained.data, p)).toEqual([...colour]);
      expect(colourAt(opaque.alone(side, side).data, p)).toEqual([...colour]);
    }
    expect(colourAt(opaque.explained.data, 0)).toEqual(colourAt(photo.data, 0));
    expect(colourAt(opaque.alone(side, side).data, 0)).toEqual([255, 255, 255]);
  });

  test('have the same strength: the overlay on a white photo is the heat map', () => {
    const white = picture(side, side, new Uint8Array(side * side * 3).fill(255));
    const noisy = pixels(values((p) => Math.sin(p * p)));
    const { explained, alone } = paint({ ...noisy, photo: white, style: { opacity: 1 } });
    expect(explained).toEqual(alone(side, side));
    const smooth = paint({ ...map(), photo: white, style: { opacity: 1 } });
    expect(smooth.explained).toEqual(smooth.alone(side, side));
  });

  test('are red and green in Captum’s convention only', () => {
    const { explained } = paint({ ...signed, convention: 'captum', style: { opacity: 1 } });
    expect([colourAt(explained.data, 9), colourAt(explained.data, 20)]).toEqual([
      [...palettes.redGreen.for],
      [...palettes.redGreen.against],
    ]);
  });

  test('leave the photo as it is where a map is zero', () => {
    expect(paint(map(values(() => 0))).explained).toEqual(photo);
  });
});

test('frames that share a scale have less colour where their own values are smaller', () => {
  const white = picture(side, side, new Uint8Array(side * side * 3).fill(255));
  const ink = (end: number | undefined, style: Style = {}) =>
    paintOver({ ...map(), photo: white, style, end }).data.reduce((sum, level) => sum + 255 - level, 0);
  expect(ink(4)).toBeLessThan(ink(undefined) / 2);
  expect(ink(1)).toBe(ink(undefined));
  // In torchcam's drawing too: its red of the largest value becomes the blue of the smallest.
  const warm = (end: number | undefined) => {
    const { data } = paintOver({ ...map(), photo: white, style: { colormap: 'jet' }, end });
    return data[(side * side - 1) * 3]! - data[(side * side - 1) * 3 + 2]!;
  };
  expect(warm(undefined)).toBeGreaterThan(30);
  expect(warm(4)).toBeLessThan(0);
});
