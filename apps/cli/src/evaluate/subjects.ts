import { readdir } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { InputError, type Tensor } from '@whylight/core';
import { type Picture, type Preprocessing, preprocess, type Region } from '@whylight/core/image';
import { decodePhoto, photoTypes } from '@whylight/host';
import { draw } from '@whylight/models/shapes/draw';
import { UsageError } from '../failure.ts';
import { readBytes } from '../files.ts';

/** One image to explain, as the network takes it. */
export interface Subject {
  readonly name: string;
  readonly input: Tensor<'float32'>;
  /** The class to explain; -1 for the predicted class. */
  readonly target: number;
  /** Classes among which the highest score is explained. */
  readonly among?: readonly number[] | undefined;
  /** One value per pixel of the input, non-zero on the object. */
  readonly mask: Uint8Array | null;
}

const photo = /\.(jpe?g|png|webp|gif|bmp|tiff?|avif|npy)$/i;

/** Reads the photos of a folder, with the masks of the same names in another folder. @throws UsageError */
export async function photosIn(
  directory: string,
  masks: string | undefined,
  preprocessing: Preprocessing,
  target: number,
): Promise<Subject[]> {
  const files = await filesOf(directory);
  if (files.length === 0)
    throw new UsageError(`${directory}: expected photos (JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF), found none`);
  const maskFiles = masks === undefined ? [] : await filesOf(masks);
  const stem = (file: string) => basename(file, extname(file));
  const subjects: Subject[] = [];
  for (const file of files) {
    const { pixels, picture } = await photoAt(join(directory, file), preprocessing.channels);
    const { input, region } = preprocess(pixels, preprocessing);
    const own = maskFiles.find((mask) => stem(mask) === stem(file));
    const mask = own
      ? maskAt(await pictureAt(join(masks!, own)), region, picture, input, preprocessing, own)
      : null;
    subjects.push({ name: file, input, target, mask });
  }
  return subjects;
}

export async function filesOf(directory: string): Promise<string[]> {
  const all = await readdir(directory).catch(() => {
    throw new UsageError(`cannot read ${directory}: no such directory`);
  });
  return all.filter((file) => photo.test(file)).sort();
}

/** @throws UsageError, InputError that names the file */
export const pictureAt = async (path: string): Promise<Picture> => (await photoAt(path, 'rgb')).picture;

/** A photo for a network that takes those channels. @throws UsageError, InputError that names the file */
export async function photoAt(path: string, channels: Preprocessing['channels']) {
  const bytes = await readBytes(path);
  return decodePhoto(bytes, channels, { allow: photoTypes }).catch((error: unknown) => {
    throw error instanceof InputError ? new InputError(error.code, `${path}: ${error.message}`) : error;
  });
}

/** Rows and columns of an input. */
export const sizeOf = ({ shape }: Tensor, layout: Preprocessing['layout']): [number, number] =>
  (layout === 'NCHW' ? shape.slice(2) : shape.slice(1, 3)) as [number, number];

/** The part of a mask that the network saw, at the size of its input. */
function maskAt(
  mask: Picture,
  region: Region,
  { width, height }: Picture,
  input: Tensor,
  { layout }: Preprocessing,
  name: string,
): Uint8Array {
  if (mask.width !== width || mask.height !== height)
    throw new UsageError(
      `mask ${name}: expected ${width}×${height} as its photo, got ${mask.width}×${mask.height}`,
    );
  const [rows, columns] = sizeOf(input, layout);
  return Uint8Array.from({ length: rows * columns }, (_, i) => {
    const x = Math.floor(region.x + (((i % columns) + 0.5) * region.width) / columns);
    const y = Math.floor(region.y + ((Math.trunc(i / columns) + 0.5) * region.height) / rows);
    return x < width && y < height && mask.data[(y * width + x) * 3]! > 127 ? 1 : 0;
  });
}

/** First seed of drawings that no training has seen. */
const firstSeed = 700_000;

/** Makes new drawings with masks of the objects that decide, for the project's own network. */
export function drawings(count: number, preprocessing: Preprocessing): Subject[] {
  return Array.from({ length: count }, (_, i) => {
    const { picture, mask, label } = draw(firstSeed + i);
    return {
      name: `drawing ${firstSeed + i}`,
      input: preprocess(picture, preprocessing).input,
      target: label,
      mask,
    };
  });
}
