import { float32 } from '@whylight/core';
import { colormaps, panel, pixelsToMap } from '@whylight/core/drawing';
import { picture } from '@whylight/core/image';
import { expect, it } from 'vitest';
import { type PanelsInput, renderPanels } from './panels.ts';

const side = 64;
const photo = picture(
  side + 10,
  side,
  Uint8Array.from({ length: (side + 10) * side * 3 }, (_, i) => (i * 31) % 251),
);
const attribution = float32(
  [1, 3, side, side],
  Array.from({ length: 3 * side * side }, (_, i) => Math.sin(i / 50)),
);
const scene: PanelsInput = {
  photo,
  region: { x: 10, y: 0, width: side, height: side },
  attribution,
  layout: 'NCHW',
  language: 'en',
  panels: [
    { method: 'original_image', sign: 'all' },
    { method: 'heat_map', sign: 'all' },
    { method: 'heat_map', sign: 'positive' },
  ],
};

/** So large is each pixel of a panel that would be narrower than 240 pixels. */
const times = 4;
const wide = side * times;
/** Pixel (x, y) of a panel on the finished picture: 13 pixels of text size, so a gap of 13 and 31 above. */
const at = (from: { width: number; data: Uint8Array }, which: number, x: number, y: number) => {
  const start = ((31 + y) * from.width + 13 + which * (wide + 13) + x) * 3;
  return Array.from(from.data.subarray(start, start + 3));
};
const pixel = (from: { width: number; data: Uint8Array }, x: number, y: number) =>
  Array.from(from.data.subarray((y * from.width + x) * 3, (y * from.width + x) * 3 + 3));

it('shows what the network saw of the photo beside the maps, pixel for pixel', async () => {
  const { picture: drawn, missing } = await renderPanels(scene);
  expect(missing).toEqual([]);
  const crop = picture(
    side,
    side,
    Uint8Array.from({ length: side * side * 3 }, (_, i) => {
      const p = Math.trunc(i / 3);
      return photo.data[(Math.trunc(p / side) * (side + 10) + 10 + (p % side)) * 3 + (i % 3)]!;
    }),
  );
  const all = panel(crop, pixelsToMap(attribution), { method: 'heat_map', sign: 'all' });
  for (const [x, y] of [
    [0, 0],
    [5, 9],
    [63, 63],
  ] as const) {
    for (const [right, down] of [
      [0, 0],
      [times - 1, times - 1],
    ] as const) {
      expect(at(drawn, 0, x * times + right, y * times + down)).toEqual(pixel(crop, x, y));
      expect(at(drawn, 1, x * times + right, y * times + down)).toEqual(pixel(all, x, y));
    }
  }
});

it('draws a bar from the smallest value to the largest below heat maps only', async () => {
  const { picture: drawn } = await renderPanels(scene);
  const below = wide + 8 + 5;
  expect(at(drawn, 0, 30, below)).toEqual([255, 255, 255]);
  // The middle of the second of 256 columns: trunc(256 · 1.5 / 256).
  expect(at(drawn, 2, 1, below)).toEqual(Array.from(colormaps.Greens.subarray(3, 6)));
  const last = at(drawn, 1, wide - 2, below);
  expect(last[1]! - last[0]!).toBeGreaterThan(100);
});

it('takes maps, other colours and Chinese titles', async () => {
  const map = float32([1, 2, 2], [0, 1, 2, 3]);
  const panels = [{ method: 'blended_heat_map', sign: 'positive' } as const];
  const { picture: drawn, missing } = await renderPanels({
    ...scene,
    attribution: map,
    panels,
    colormap: 'custom-blue',
    language: 'zh',
  });
  expect([drawn.width, missing]).toEqual([13 + wide + 13, []]);
  expect(at(drawn, 0, wide - 1, wide - 1).every((v) => v < 140)).toBe(true);
});
