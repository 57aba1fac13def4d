import { describe, expect, it } from 'vitest';
import { floatMap, picture } from './picture.ts';
import vectors from './pillow-vectors.json' with { type: 'json' };
import type { Filter } from './resample.ts';
import { resize, resizeMap } from './resize.ts';

/** The pictures that Pillow was given: i² · 31 + i · 17 + (i >> 3) · 101 modulo 256. */
const pattern = (width: number, height: number) =>
  picture(
    width,
    height,
    Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * i * 31 + i * 17 + (i >> 3) * 101) % 256),
  );

const mapPattern = (width: number, height: number) =>
  floatMap(
    width,
    height,
    Float32Array.from({ length: width * height }, (_, i) => ((i * i * 37 + i * 11) % 256) / 128 - 1),
  );

const size = ([width, height]: number[]): [number, number] => [width!, height!];

describe('resize', () => {
  it.each(vectors.pictures)('gives Pillow’s bytes: $filter, $from to $to', ({ filter, from, to, rgb }) => {
    const [width, height] = size(to);
    expect([...resize(pattern(...size(from)), width, height, filter as Filter).data]).toEqual(rgb);
  });

  it('computes a window of the result as it is in the whole', () => {
    const source = pattern(31, 17);
    const whole = resize(source, 20, 40, 'bicubic');
    const part = resize(source, 20, 40, 'bicubic', { x: 3, y: 11, width: 9, height: 5 });
    for (let y = 0; y < 5; y++)
      expect([...part.data.subarray(y * 27, (y + 1) * 27)]).toEqual([
        ...whole.data.subarray(((11 + y) * 20 + 3) * 3, ((11 + y) * 20 + 12) * 3),
      ]);
  });

  it('leaves a picture of the right size as it is, whatever the filter', () => {
    for (const filter of ['nearest', 'box', 'bilinear', 'hamming', 'bicubic', 'lanczos'] as const)
      expect(resize(pattern(6, 5), 6, 5, filter)).toEqual(pattern(6, 5));
  });
});

describe('resizeMap', () => {
  it.each(vectors.maps)(
    'gives Pillow’s mode F floats: $filter, $from to $to',
    ({ filter, from, to, values }) => {
      const [width, height] = size(to);
      expect([...resizeMap(mapPattern(...size(from)), width, height, filter as Filter).data]).toEqual(values);
    },
  );

  it('without antialiasing shrinks from the nearest neighbours alone', () => {
    const row = floatMap(8, 1, Float32Array.of(0, 1, 2, 3, 4, 5, 6, 100));
    expect([...resizeMap(row, 2, 1, 'bilinear', { antialias: false }).data]).toEqual([1.5, 5.5]);
    expect(resizeMap(row, 2, 1, 'bilinear').data[1]).toBeGreaterThan(10);
  });
});
