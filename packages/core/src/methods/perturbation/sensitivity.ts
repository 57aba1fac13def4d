import { z } from 'zod';
import { InputError } from '../../errors.ts';
import { appliedAll, concat, type Expression } from '../../onnx/expression.ts';
import { float32, int64, type Tensor } from '../../tensor.ts';
import type { Samples, Setting, Subject } from '../method.ts';
import { type Baseline, baselineOf, baselineParam } from '../shared/baseline.ts';
import { camOutput, mapParams } from '../shared/cam.ts';
import { seedParam } from '../shared/noise.ts';

// Methods that measure how much the score depends on each cell of a grid: global sensitivity analysis as in Xplique.

export const sensitivityParams = (n_samples: number, about: string) => ({
  ...mapParams,
  grid_size: z.int().min(2).max(16).default(8).describe('Cells of a mask, across and down'),
  n_samples: z.int().min(2).max(5000).default(n_samples).describe(about),
  baseline: baselineParam,
  seed: seedParam,
});

export interface SensitivityParams {
  readonly normalized: boolean;
  readonly grid_size: number;
  readonly n_samples: number;
  readonly baseline: Baseline;
  readonly seed: number;
}

/** Reads recorded masks [S, rows, columns] as rows [S, cells]. */
export function recordedMasks({ masks }: Samples, size: number): Tensor<'float32'> | undefined {
  if (!masks) return undefined;
  if (masks.dtype !== 'float32' || masks.shape.slice(1).join() !== `${size},${size}` || masks.shape[0]! < 2)
    throw new InputError(
      'invalid_tensor',
      `aux "masks": expected float32 [2 samples or more, ${size}, ${size}], got ${masks.dtype} [${masks.shape.join(', ')}]`,
    );
  return float32([masks.shape[0]!, size ** 2], masks.data as Float32Array);
}

/** Computes the score of the image under each mask [S, cells], [1, S]. */
export function scoresUnder(
  subject: Subject,
  masks: Tensor<'float32'>,
  setting: Setting<SensitivityParams>,
): Expression {
  const [count] = masks.shape as [number];
  const which = int64([count], [...Array(count).keys()]);
  const share = float32([count], Array<number>(count).fill(1));
  return subject.over({ masks, which, share }, (chunk) => {
    const scores = scoreUnder(subject, chunk.masks, setting);
    return scores.mul(chunk.share).matmul(chunk.which.oneHot(count));
  });
}

/** Computes the score of the image under masks [S, cells], with the baseline where a mask is 0: [1, S]. */
export function scoreUnder(
  { image, at }: Subject,
  masks: Expression,
  setting: Setting<SensitivityParams>,
): Expression {
  const { height, width, layout, parameters } = setting;
  const [count, size] = [masks.shape[0]!, parameters.grid_size];
  const cellOf = (pixel: number, length: number) => Math.floor(((pixel + 0.5) * size) / length);
  const cells = Array.from(
    { length: height * width },
    (_, p) => cellOf(Math.floor(p / width), height) * size + cellOf(p % width, width),
  );
  const shape = layout === 'NCHW' ? [count, 1, height, width] : [count, height, width, 1];
  const seen = masks.gather(masks.ints(cells), 1).reshape(shape);
  const hidden = seen.oneMinus().mul(baselineOf(image, parameters.baseline, setting));
  return at(image.mul(seen).add(hidden)).score.reshape([1, count]);
}

/** Makes a map of the image from the values of cells [1, cells], by cubic interpolation. */
export function cellMap(cells: Expression, setting: Setting<SensitivityParams>): Expression {
  const { height, width } = setting;
  const size = setting.parameters.grid_size;
  const rows = cells.floats([1, height, size], cubic(height, size));
  const columns = cells.floats([1, width, size], cubic(width, size)).transpose([0, 2, 1]);
  return camOutput([rows.matmul(cells.reshape([1, size, size])).matmul(columns)], setting, { signed: true });
}

/**
 * Computes the weight of each cell for each pixel of an axis, [length, cells]: cubic with a = -½, cells outside left
 * out, and places in steps of 1/1024 of a cell, as in TensorFlow.
 */
function cubic(length: number, cells: number): Float32Array {
  const weights = new Float32Array(length * cells);
  const near = (d: number) => (1.5 * d - 2.5) * d * d + 1;
  const far = (d: number) => ((-0.5 * d + 2.5) * d - 4) * d + 2;
  for (let pixel = 0; pixel < length; pixel++) {
    const place = Math.round((((pixel + 0.5) * cells) / length - 0.5) * 1024) / 1024;
    const first = Math.floor(place);
    const around = [-1, 0, 1, 2].map((offset) => first + offset).filter((cell) => cell >= 0 && cell < cells);
    const shares = around.map((cell) => Math.abs(place - cell)).map((d) => (d <= 1 ? near(d) : far(d)));
    const total = shares.reduce((sum, share) => sum + share);
    around.forEach((cell, i) => {
      weights[pixel * cells + cell] = shares[i]! / total;
    });
  }
  return weights;
}

/** Computes the median of values [1, S]. */
export function medianOf(values: Expression): Expression {
  const count = values.shape[1]!;
  const half = values.ints([Math.floor(count / 2) + 1]);
  const [sorted] = appliedAll('TopK', [values, half], { axis: 1 }, 2) as [Expression];
  const low = sorted.min([1]);
  if (count % 2 === 1) return low;
  return concat([low, sorted.slice(1, Math.floor(count / 2) - 1, Math.floor(count / 2))], 1).mean([1]);
}
