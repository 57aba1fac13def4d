import { InputError } from '../errors.ts';
import { float32, sizeOf, type Tensor } from '../tensor.ts';

/** The pixels of an image [1, C, H, W] (or [1, H, W, C]). */
export interface Pixels {
  readonly count: number;
  /** The pixel that an element belongs to. */
  pixelOf(element: number): number;
}

export type Layout = 'NCHW' | 'NHWC';

/** @throws InputError invalid_tensor unless `image` is one image and `map` has a value for each of its pixels. */
export function pixelsOf(image: Tensor<'float32'>, layout: Layout, map?: ArrayLike<number>): Pixels {
  const [rows, ...shape] = image.shape;
  const channels = layout === 'NCHW' ? shape[0] : shape[2];
  const count = sizeOf(shape) / (channels ?? 1);
  if (rows !== 1 || shape.length !== 3 || (map && map.length !== count))
    throw new InputError(
      'invalid_tensor',
      `metric: expected one image and a value for each of its pixels, got [${image.shape.join(', ')}] and ${map?.length ?? 0} values`,
    );
  return {
    count,
    pixelOf: layout === 'NCHW' ? (i) => i % count : (i) => Math.trunc(i / channels!),
  };
}

/** Sorts pixels from the most relevant to the least; equal pixels keep their order in the image. */
export function ranking(map: ArrayLike<number>): number[] {
  return Array.from({ length: map.length }, (_, i) => i).sort((a, b) => map[b]! - map[a]! || a - b);
}

/** Makes a batch of images of the same shape: `fill` writes row n. */
export function batchOf(
  image: Tensor<'float32'>,
  rows: number,
  fill: (row: Float32Array, n: number) => void,
): Tensor<'float32'> {
  const size = image.data.length;
  const data = new Float32Array(rows * size);
  for (let n = 0; n < rows; n++) fill(data.subarray(n * size, (n + 1) * size), n);
  return float32([rows, ...image.shape.slice(1)], data);
}

export const mean = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
