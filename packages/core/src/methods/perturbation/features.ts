import { z } from 'zod';
import { InputError } from '../../errors.ts';
import type { Span } from '../../incremental/reach.ts';
import type { Expression } from '../../onnx/expression.ts';
import { float32, int64, sizeOf, type Tensor } from '../../tensor.ts';
import type { Samples, Setting, Subject } from '../method.ts';
import { baselineOf, baselineParam, baselineScore } from '../shared/baseline.ts';
import { superpixelParams } from './superpixels.ts';

// Methods that hide groups of pixels: features. A sample holds the features that are kept, and the weight of its
// score for each of them: attributions are a linear function of the scores.

export const gridParam = z
  .string()
  .regex(/^[1-9]\d*x[1-9]\d*$/, { error: 'expected ROWSxCOLUMNS such as 7x7' })
  .describe('Equal cells as features, rows x columns; a recorded feature_mask takes its place');

export const featureParams = (grid: string) => ({
  grid: gridParam.default(grid),
  ...superpixelParams,
  baseline: baselineParam,
});

export interface FeatureParams {
  readonly grid: string;
  readonly baseline: z.infer<typeof baselineParam>;
}

/** Gives the feature that each element belongs to, int64 [C or 1, H, W], numbered from 0. */
export function featuresOf(
  { parameters, height, width, layout, inputShape }: Setting<FeatureParams>,
  aux: Samples,
): Tensor<'int64'> {
  const recorded = aux.feature_mask;
  if (recorded) return renumbered('feature_mask', recorded, inputShape, layout);
  const [rows, columns] = gridOf({ parameters, height, width });
  const cells = Array.from({ length: height * width }, (_, i) => {
    const [y, x] = [Math.floor(i / width), i % width];
    return Math.floor((y * rows) / height) * columns + Math.floor((x * columns) / width);
  });
  return int64(layout === 'NCHW' ? [1, height, width] : [height, width, 1], cells);
}

/** Gives the rows and columns of the grid: each cell has at least one pixel. */
export function gridOf({
  parameters,
  height,
  width,
}: Pick<Setting<Pick<FeatureParams, 'grid'>>, 'parameters' | 'height' | 'width'>) {
  const [down, across] = parameters.grid.split('x').map(Number) as [number, number];
  return [Math.min(down, height), Math.min(across, width)] as const;
}

/** Gives the spans of the cells of a grid along an axis. */
export const gridSpans = (length: number, cells: number): Span[] =>
  Array.from({ length: cells }, (_, i) => [
    Math.ceil((i * length) / cells),
    Math.ceil(((i + 1) * length) / cells),
  ]);

/** Renumbers a mask [(1,) C or 1, H, W] of any numbers to features 0, 1, 2, … in rising order. */
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

/** Sets of features that are kept [sets][features], and the weight of each set's score for each feature. */
export interface WeightedSets {
  readonly kept: readonly (readonly number[])[];
  readonly weights: readonly (readonly number[])[];
}

/** Computes Σ_s weights[s, m] · (y(image with set s) - y(image)) for each feature m, at its pixels: [1, C, H, W]. */
export function linearAttribution(
  subject: Subject,
  { kept, weights }: WeightedSets,
  setting: Setting<FeatureParams>,
): Expression {
  const { image, score, aux, at, over, given, addsUp } = subject;
  const features = given(featuresOf(setting, aux));
  const shape = [kept.length, kept[0]!.length];
  const samples = { kept: float32(shape, kept.flat()), weights: float32(shape, weights.flat()) };
  const credit = over(samples, ({ kept, weights }) => {
    const change = at(maskedRows(image, kept, features, setting)).score.sub(score);
    return change.reshape([1, change.shape[0]!]).matmul(weights);
  });
  addsUp(credit, () => baselineScore(subject, setting.parameters.baseline, setting));
  return overImage(image, credit, features);
}

/** Computes y(image) - y(image without feature m) for each feature m, [1, M]. */
export function ablationDrops(
  { score, over, given }: Subject,
  count: number,
  without: (feature: Expression) => Subject,
): Expression {
  const all = int64(
    [count],
    Array.from({ length: count }, (_, m) => m),
  );
  const numbers = given(all);
  return over(
    { feature: all, share: float32([count], Array<number>(count).fill(1)) },
    ({ feature, share }) => {
      const drop = score.sub(without(feature).score).reshape([1, feature.shape[0]!]);
      const own = feature.unsqueeze(1).equals(numbers).cast('float32');
      return drop.mul(share).matmul(own);
    },
  );
}

/** Gives the image where features are kept, the baseline elsewhere: [S, C, H, W]. */
export function maskedRows(
  image: Expression,
  kept: Expression,
  features: Expression,
  setting: Setting<FeatureParams>,
): Expression {
  const seen = spread(kept, features).isGreater(0.5);
  return seen.where(image, baselineOf(image, setting.parameters.baseline, setting));
}

/** Spreads values per feature [N, M] to each element, [N, C or 1, H, W]. */
function spread(values: Expression, features: Expression): Expression {
  const shape = features.shape as number[];
  return values.gather(features.reshape([sizeOf(shape)]), 1).reshape([values.shape[0]!, ...shape]);
}

/** The condition under which attributions add up. */
export const onceEach = 'with each feature counted once: all of its pixels have the value of the whole';

/** Spreads values per feature to every channel of every pixel, [N, C, H, W]. */
export const overImage = (image: Expression, values: Expression, features: Expression): Expression =>
  image.mul(0).add(spread(values, features));
