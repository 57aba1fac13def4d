import { join } from 'node:path';
import type { Tensor } from '@whylight/core';
import {
  type Preprocessing,
  preprocess,
  type Raster,
  raster,
  type Sides,
  sidesOf,
} from '@whylight/core/image';
import { Random } from '@whylight/models/shapes/random';
import { UsageError } from '../failure.ts';
import { filesOf, photoAt, type Subject } from './subjects.ts';

/**
 * The grid pointing game (Böhle, Fritz & Schiele, CVPR 2021): four photos of different classes side by side and below
 * each other, explained for each of the four; the object is the quarter that the class's photo fills.
 *
 * @param classOf the class that the network sees in one photo
 * @throws UsageError if the folder has photos of fewer than four classes
 */
export async function mosaics(
  directory: string,
  count: number,
  preprocessing: Preprocessing,
  classOf: (input: Tensor<'float32'>) => Promise<number>,
): Promise<Subject[]> {
  const [side, width] = sidesOf(preprocessing) ?? [0, 1];
  if (side !== width || side % 2 !== 0)
    throw new UsageError('--mosaics: expected a network that takes square images with an even side');
  const half = side / 2;
  const { resize, crop } = preprocessing;
  const quarter: Preprocessing = {
    ...preprocessing,
    size: [half, half],
    crop: typeof crop === 'number' && crop <= 1 ? crop : null,
    resize:
      typeof resize === 'number'
        ? Math.round(resize / 2)
        : resize && resize !== 'none'
          ? halved(resize)
          : resize,
  };
  const photos: { file: string; tile: Raster; target: number }[] = [];
  for (const file of await filesOf(directory)) {
    const { pixels: photo } = await photoAt(join(directory, file), preprocessing.channels);
    const target = await classOf(preprocess(photo, preprocessing).input);
    photos.push({ file, tile: preprocess(photo, quarter).crop, target });
  }
  if (new Set(photos.map(({ target }) => target)).size < 4)
    throw new UsageError(`--mosaics: expected photos of four classes or more in ${directory}`);
  const random = new Random(0);
  const whole: Preprocessing = { ...preprocessing, size: null, resize: 'none', crop: 'none' };
  return Array.from({ length: count }).flatMap((_, n) => {
    const four: typeof photos = [];
    while (four.length < 4) {
      const next = photos[Math.min(Math.trunc(random.between(0, photos.length)), photos.length - 1)]!;
      if (four.every(({ target }) => target !== next.target)) four.push(next);
    }
    const { input } = preprocess(
      tiled(
        four.map(({ tile }) => tile),
        half,
      ),
      whole,
    );
    return four.map(({ file, target }, place) => ({
      name: `mosaic ${n}, ${file}`,
      input,
      target,
      mask: Uint8Array.from({ length: side * side }, (_, i) => Number(placeOf(i, side) === place)),
    }));
  });
}

/** 0 and 1 in the upper half, 2 and 3 in the lower. */
const placeOf = (i: number, side: number): number =>
  2 * Number(Math.trunc(i / side) >= side / 2) + Number(i % side >= side / 2);

const halved = ([height, width]: Sides): Sides => [Math.round(height / 2), Math.round(width / 2)];

function tiled(tiles: readonly Raster[], half: number): Raster {
  const side = 2 * half;
  const { channels } = tiles[0]!;
  const data = new Uint8Array(side * side * channels);
  tiles.forEach((tile, place) => {
    const [left, top] = [(place % 2) * half, Math.trunc(place / 2) * half];
    for (let y = 0; y < half; y++)
      data.set(
        tile.data.subarray(y * half * channels, (y + 1) * half * channels),
        ((top + y) * side + left) * channels,
      );
  });
  return raster(side, side, channels, data);
}
