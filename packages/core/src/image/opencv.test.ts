import { describe, expect, it } from 'vitest';
import vectors from './opencv-vectors.json' with { type: 'json' };
import { raster } from './picture.ts';
import type { Resampling } from './resample.ts';
import { resizedRaster } from './resize-raster.ts';

/** The pictures that OpenCV was given: i² · 31 + i · 17 + (i >> 3) · 101 modulo 256. */
const pattern = (width: number, height: number) =>
  raster(
    width,
    height,
    3,
    Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * i * 31 + i * 17 + (i >> 3) * 101) % 256),
  );
const whole = ([width, height]: number[]) => ({ x: 0, y: 0, width: width!, height: height! });

describe('resizing as OpenCV does', () => {
  it.each(vectors.pictures)('gives its bytes: $resample, $from to $to', ({ resample, from, to, rgb }) => {
    const [width, height] = to as [number, number];
    const source = pattern(from[0]!, from[1]!);
    expect([...resizedRaster(source, width, height, resample as Resampling, whole(to)).data]).toEqual(rgb);
  });

  it.each(['cv-bilinear', 'cv-area'] as const)('%s computes a window as it is in the whole', (resample) => {
    for (const [width, height] of [
      [20, 12],
      [40, 30],
      [15, 8],
    ] as const) {
      const source = pattern(30, 16);
      const all = resizedRaster(source, width, height, resample, whole([width, height])).data;
      const part = resizedRaster(source, width, height, resample, { x: 3, y: 2, width: 9, height: 5 }).data;
      for (let y = 0; y < 5; y++)
        expect([...part.subarray(y * 27, (y + 1) * 27)]).toEqual([
          ...all.subarray(((2 + y) * width + 3) * 3, ((2 + y) * width + 12) * 3),
        ]);
    }
  });

  it('bands keep their range, without rounding', () => {
    const bands = raster(4, 1, 2, Float32Array.of(0, 1000, 1, 2000, 2, 3000, 3, 4000));
    const window = whole([2, 1]);
    expect([...resizedRaster(bands, 2, 1, 'cv-area', window).data]).toEqual([0.5, 1500, 2.5, 3500]);
    expect([...resizedRaster(bands, 2, 1, 'cv-bilinear', window).data]).toEqual([0.5, 1500, 2.5, 3500]);
    expect([...resizedRaster(bands, 2, 1, 'nearest', window).data]).toEqual([1, 2000, 3, 4000]);
  });
});
