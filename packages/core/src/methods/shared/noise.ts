import { z } from 'zod';
import { InputError } from '../../errors.ts';
import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { mul, reshape } from '../../onnx/emit.ts';
import { float32, sizeOf, type Tensor } from '../../tensor.ts';
import type { Made, Samples } from '../method.ts';
import { drawnNormals } from './drawn.ts';
import { normals } from './random.ts';

export const seedParam = z
  .int()
  .min(0)
  .default(0)
  .describe('Which random numbers: the same seed gives the same everywhere');

/** `count` draws of N(0, 1) of a shape, [count, …shape], made when needed; the first of recorded ones if given. */
export function noiseMade(seed: number, count: number, shape: readonly number[], { noise }: Samples): Made {
  const size = sizeOf(shape);
  const all = [count, ...shape];
  if (!noise)
    return {
      dtype: 'float32',
      shape: all,
      make: (start, end) =>
        float32([end - start, ...shape], normals(seed, (end - start) * size, start * size)),
      draw: (g, start, count) =>
        reshape(g, drawnNormals(g, seed, counter(g, start, size), count * size), [count, ...shape]),
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

/** The number of the first value of a sample. */
const counter = (g: GraphBuilder, sample: Value, size: number): Value =>
  mul(g, sample, g.constant({ dtype: 'int64', shape: [], data: BigInt64Array.of(BigInt(size)) }));

/** One 1 per sample, so that samples of zeros count for nothing. */
export const countOf = (count: number): Tensor<'float32'> => float32([count], Array<number>(count).fill(1));
