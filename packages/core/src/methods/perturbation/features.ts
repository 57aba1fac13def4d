import { z } from 'zod';
import { InputError } from '../../errors.ts';
import type { Span } from '../../incremental/reach.ts';
import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { add, matmul, reshape, sub, where } from '../../onnx/emit.ts';
import { float32, int64, sizeOf, type Tensor } from '../../tensor.ts';
import type { SampledSubject, Samples, Setting, Values } from '../method.ts';
import { baselineOf, baselineParam } from '../shared/baseline.ts';

// Methods that hide groups of pixels: features. A sample says which features are kept, and how much its score counts
// for each of them: attributions are a linear function of the scores.

const gridParam = z
  .string()
  .regex(/^[1-9]\d*x[1-9]\d*$/, { error: 'expected ROWSxCOLUMNS such as 7x7' })
  .describe('Equal cells as features, rows x columns; a recorded feature_mask takes its place');

export const featureParams = (grid: string) => ({ grid: gridParam.default(grid), baseline: baselineParam });

export interface FeatureParams {
  readonly grid: string;
  readonly baseline: z.infer<typeof baselineParam>;
}

/** Which feature each element belongs to, int64 [C or 1, H, W], numbered from 0. */
export function featuresOf(
  { params, height, width, layout, inputShape }: Setting<FeatureParams>,
  aux: Samples,
): Tensor<'int64'> {
  const recorded = aux.feature_mask;
  if (recorded) return renumbered('feature_mask', recorded, inputShape, layout);
  const [rows, columns] = gridOf({ params, height, width });
  const cells = Array.from({ length: height * width }, (_, i) => {
    const [y, x] = [Math.floor(i / width), i % width];
    return Math.floor((y * rows) / height) * columns + Math.floor((x * columns) / width);
  });
  return int64(layout === 'NCHW' ? [1, height, width] : [height, width, 1], cells);
}

/** Rows and columns of the grid: a cell has a pixel at least. */
export function gridOf({
  params,
  height,
  width,
}: Pick<Setting<FeatureParams>, 'params' | 'height' | 'width'>) {
  const [down, across] = params.grid.split('x').map(Number) as [number, number];
  return [Math.min(down, height), Math.min(across, width)] as const;
}

/** Where the cells of a grid lie along an axis. */
export const gridSpans = (length: number, cells: number): Span[] =>
  Array.from({ length: cells }, (_, i) => [
    Math.ceil((i * length) / cells),
    Math.ceil(((i + 1) * length) / cells),
  ]);

/** A mask [(1,) C or 1, H, W] of any numbers as features 0, 1, 2, … in rising order. */
export function renumbered(
  name: string,
  { shape, data }: Tensor,
  inputShape: readonly number[],
  layout: 'NCHW' | 'NHWC',
): Tensor<'int64'> {
  const plain = shape.length === 4 && shape[0] === 1 ? shape.slice(1) : shape;
  const full = plain.length === 2 ? (layout === 'NCHW' ? [1, ...plain] : [...plain, 1]) : plain;
  if (full.length !== 3 || full.some((d, i) => d !== inputShape[i] && d !== 1))
    throw new InputError(
      'invalid_tensor',
      `aux "${name}": expected [H, W], [1, H, W] or [C, H, W] of ${inputShape.join(', ')}, got [${shape.join(', ')}]`,
    );
  const values = Array.from(data as ArrayLike<number | bigint>, Number);
  const numbers = new Map([...new Set(values)].sort((a, b) => a - b).map((value, i) => [value, i]));
  return int64(
    full,
    values.map((value) => numbers.get(value)!),
  );
}

export const featureCount = (features: Tensor<'int64'>): number =>
  features.data.reduce((most, f) => Math.max(most, Number(f) + 1), 0);

/** `kept` [S, M] of 0 and 1, and `weights` [S, M]: attribution of feature m = Σ_s weights[s, m] · (y_s - y(image)). */
export const linearSamples = (
  kept: readonly (readonly number[])[],
  weights: readonly (readonly number[])[],
): Samples => {
  const shape = [kept.length, kept[0]!.length];
  return { kept: float32(shape, kept.flat()), weights: float32(shape, weights.flat()) };
};

/** The image where features are kept, the baseline elsewhere: [1, S, C, H, W]. */
export function maskedRows(
  g: GraphBuilder,
  image: Value,
  { kept, features }: Values,
  setting: Setting<FeatureParams>,
): Value {
  const mask = spread(g, kept!, features!);
  const seen = g.emit('Greater', [mask, g.scalar(0.5)]);
  return where(
    g,
    g.emit('Unsqueeze', [seen, g.ints([0])]),
    image,
    baselineOf(g, image, setting.params.baseline, setting),
  );
}

/** Values per feature [N, M] at each element, [N, C or 1, H, W]. */
export function spread(g: GraphBuilder, values: Value, features: Value): Value {
  const shape = g.shape(features) as number[];
  const flat = reshape(g, features, [sizeOf(shape)]);
  return reshape(g, g.emit('Gather', [values, flat], { axis: 1 }), [g.shape(values)[0]!, ...shape]);
}

/** Σ_s weights[s, m] · (y_s - y(image)), [images, M]. */
export const linearSums = ({ g, scores, score }: SampledSubject, { weights }: Values): Values => ({
  credit: matmul(g, sub(g, scores, score), weights!),
});

/** When attributions add up. */
export const onceEach = 'with each feature counted once: all of its pixels have the value of the whole';

/** Values per feature at every channel of every pixel, [images, C, H, W]. */
export const overImage = (g: GraphBuilder, image: Value, values: Value, features: Value): Value =>
  add(g, g.emit('Mul', [image, g.scalar(0)]), spread(g, values, features));
