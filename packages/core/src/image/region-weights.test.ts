import { describe, expect, it } from 'vitest';
import { InputError } from '../errors.ts';
import { type MapsOnPhoto, type RegionSpec, regionWeights } from './region-weights.ts';

/** A photo of 40 x 20 of which the network sees the middle 20 x 20, as maps of 4 x 5 (rows of 4, columns of 5). */
const cropped: MapsOnPhoto = {
  photo: { width: 40, height: 20 },
  input: { x: 10, y: 0, width: 20, height: 20 },
  pixels: [4, 5],
};

/** The weights as rows of digits. */
const drawn = (region: RegionSpec, maps = cropped): string[] => {
  const weights = regionWeights(region, maps);
  const width = maps.pixels[1];
  return Array.from({ length: maps.pixels[0] }, (_, y) =>
    Array.from(weights.subarray(y * width, (y + 1) * width)).join(''),
  );
};

const refusal = (region: RegionSpec, maps = cropped): string => {
  try {
    regionWeights(region, maps);
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
  throw new Error('taken');
};

const mask = (width: number, height: number, at: (x: number, y: number) => number) => ({
  mask: {
    ...{ name: 'mask.png', width, height },
    data: Float32Array.from({ length: width * height }, (_, i) => at(i % width, Math.trunc(i / width))),
  },
});

describe('a region of a photo, in the pixels of the maps', () => {
  it.each<[string, RegionSpec, string[]]>([
    ['the half that a box covers', { box: [10, 0, 8, 20] }, ['11000', '11000', '11000', '11000']],
    ['a box that reaches beyond the crop', { box: [0, 10, 14, 100] }, ['00000', '00000', '10000', '10000']],
    ['a box smaller than a pixel of the maps', { box: [25, 6, 1, 1] }, ['00000', '00010', '00000', '00000']],
    ['a point', { point: [29.9, 19.9], radius: 0 }, ['00000', '00000', '00000', '00001']],
    ['a circle', { point: [20, 7.5], radius: 5.1 }, ['00100', '01110', '00100', '00000']],
    ['where the class is predicted', 'predicted', Array(4).fill('-1-1-1-1-1')],
    ['a mask of the photo', mask(40, 20, (x) => Number(x >= 26)), Array(4).fill('00001')],
    ['a mask of the maps', mask(5, 4, (x, y) => Number(x === y)), ['10000', '01000', '00100', '00010']],
  ])('%s', (_, region, expected) => {
    expect(drawn(region)).toEqual(expected);
  });

  it('beyond a letterboxed photo nothing counts', () => {
    const maps: MapsOnPhoto = {
      photo: { width: 20, height: 10 },
      input: { x: 0, y: -5, width: 20, height: 20 },
      pixels: [4, 4],
    };
    expect(
      drawn(
        mask(20, 10, () => 1),
        maps,
      ),
    ).toEqual(['0000', '1111', '1111', '0000']);
    expect(refusal({ box: [0, 11, 5, 5] }, maps)).toContain('y 0 to 10');
  });

  it.each<[RegionSpec, string]>([
    [
      { box: [0, 0, 9, 9] },
      'box 0,0,9,9 lies outside of what the network sees of the photo, x 10 to 30 and y 0 to 20; the photo has 40x20 pixels',
    ],
    [{ point: [35, 5], radius: 3 }, 'point 35,5,3 lies outside'],
    [
      mask(20, 20, () => 1),
      "mask.png: expected a mask of the photo's size, 40x20, or of the maps', 5x4; got 20x20",
    ],
    [
      mask(40, 20, (x) => Number(x < 10)),
      'mask.png: the mask has no pixel in the part of the photo that the network sees',
    ],
    [mask(5, 4, () => -2), 'mask.png: expected numbers from 0 on'],
  ])('%j is refused', (region, message) => {
    expect(refusal(region)).toContain(message);
  });
});
