import { z } from 'zod';
import { InputError } from '../../errors.ts';
import { float32, sizeOf, type Tensor } from '../../tensor.ts';
import type { Made, Samples } from '../method.ts';
import { drawnNormals } from './drawn.ts';
import { normals } from './random.ts';

export const seedParam = z
  .int()
  .min(0)
  .default(0)
  .describe('Which random numbers: the same seed gives the same everywhere');

/** Makes `count` draws of N(0, 1), [count, …shape], when needed; if draws are recorded, takes the first of them. */
export function noiseMade(seed: number, count: number, shape: readonly number[], { noise }: Samples): Made {
  const size = sizeOf(shape);
  const all = [count, ...shape];
  if (!noise)
    return {
      dtype: 'float32',
      shape: all,
      make: (start, end) =>
        float32([end - start, ...shape], normals(seed, (end - start) * size, start * size)),
      draw: (start, count) => drawnNormals(seed, start.mul(size), count * size).reshape([count, ...shape]),
    };
  if (noise.dtype !== 'float32' || noise.data.length < count * size || noise.data.length % size !== 0)
    throw new InputError(
      'invalid_tensor',
      `aux "noise": expected float32 with ${count} or more draws of [${shape.join(', ')}], got ${noise.dtype} [${noise.shape.join(', ')}]`,
    );
  const data = noise.data as Float32Array<ArrayBuffer>;
  return {
    dtype: 'float32',
    shape: all,
    make: (start, end) => float32([end - start, ...shape], data.subarray(start * size, end * size)),
  };
}

/** Shapes one number per sample so that it broadcasts to rows [samples, C, H, W]. */
export const perRow = (values: readonly number[]): Tensor<'float32'> =>
  float32([values.length, 1, 1, 1], values);

/** Makes a 1 per sample, so that added samples of zeros have no weight. */
export const countOf = (count: number): Tensor<'float32'> => perRow(Array<number>(count).fill(1));
