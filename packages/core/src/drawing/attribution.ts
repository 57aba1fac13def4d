import { InputError } from '../errors.ts';
import type { FloatMap } from '../image/picture.ts';
import { floatMap } from '../image/picture.ts';
import type { Tensor } from '../tensor.ts';

/** Converts the attribution that a method returns to a map that can be coloured. */

export const signs = ['all', 'positive', 'negative', 'absolute'] as const;
export type Sign = (typeof signs)[number];

export interface NormalizeOptions {
  /** The attributions that count: 'all' gives -1..1, the others 0..1. */
  readonly sign?: Sign;
  /** Percentage of the total magnitude that may lie beyond the ends of the scale. */
  readonly outlierPercent?: number;
}

/** Computes (v - min) / (max - min + 1e-8), torchcam's scaling to 0..1. A constant map becomes zeros. */
export function minMax(values: Float32Array): Float32Array {
  const [minimum, maximum] = range(values);
  const span = Math.fround(maximum - minimum) + 1e-8;
  return values.map((value) => (value - minimum) / span);
}

/** Finds the smallest and the largest value. */
export function range(values: Float32Array): [minimum: number, maximum: number] {
  let minimum = Number.POSITIVE_INFINITY;
  let maximum = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value < minimum) minimum = value;
    if (value > maximum) maximum = value;
  }
  return [minimum, maximum];
}

/**
 * Converts one attribution per input element to one per pixel: sums over the channels, then `normalize`s.
 *
 * @param attribution [1, C, H, W], [C, H, W] or, for NHWC networks with `layout`, [1, H, W, C].
 * @throws InputError invalid_tensor for another shape.
 */
export function pixelsToMap(
  attribution: Tensor<'float32'>,
  { layout = 'NCHW', ...options }: NormalizeOptions & { layout?: 'NCHW' | 'NHWC' } = {},
): FloatMap {
  const shape = attribution.shape.length === 4 ? attribution.shape.slice(1) : attribution.shape;
  if (shape.length !== 3 || (attribution.shape.length === 4 && attribution.shape[0] !== 1))
    throw new InputError(
      'invalid_tensor',
      `attribution: expected shape [1, channels, height, width], got [${attribution.shape}]`,
    );
  const [channels, height, width] = (layout === 'NCHW' ? shape : [shape[2], shape[0], shape[1]]) as [
    number,
    number,
    number,
  ];
  const pixels = height * width;
  const sums = new Float32Array(pixels);
  for (let i = 0; i < attribution.data.length; i++)
    sums[layout === 'NCHW' ? i % pixels : Math.trunc(i / channels)]! += attribution.data[i]!;
  return floatMap(width, height, normalize(sums, options));
}

/**
 * Scales attributions for display as Captum does: divides by the magnitude up to which all but `outlierPercent`
 * of the total lies, and clips to -1..1.
 *
 * Returns a result in two cases in which Captum raises an error: attributions that are all zero (or never of the wanted
 * sign) give zeros, and outlierPercent 0 divides by the largest magnitude.
 *
 * @throws InputError invalid_parameter if outlierPercent is not in 0..100.
 */
export function normalize(
  values: Float32Array,
  { sign = 'all', outlierPercent = 2 }: NormalizeOptions = {},
): Float32Array {
  if (!(outlierPercent >= 0 && outlierPercent <= 100))
    throw new InputError('invalid_parameter', `outlier_perc must be within 0..100; got ${outlierPercent}`);
  const wanted = Float32Array.from(values, wantedPart[sign]);
  const scale = threshold(wanted.map(Math.abs), 100 - outlierPercent);
  return Float32Array.from(wanted, (value) => (scale === 0 ? 0 : Math.min(Math.max(value / scale, -1), 1)));
}

const wantedPart: Record<Sign, (value: number) => number> = {
  all: (value) => value,
  positive: (value) => Math.max(value, 0),
  negative: (value) => Math.max(-value, 0),
  absolute: Math.abs,
};

/** Finds the first magnitude, from small to large, at which the running sum reaches `percent` of the total. */
function threshold(magnitudes: Float32Array, percent: number): number {
  magnitudes.sort();
  // NumPy adds up float32 in float32: on a photo's many pixels that moves the threshold.
  const sums = new Float32Array(magnitudes.length);
  magnitudes.forEach((value, i) => {
    sums[i] = (sums[i - 1] ?? 0) + value;
  });
  const wanted = (sums.at(-1) ?? 0) * 0.01 * percent;
  return magnitudes[sums.findIndex((sum) => sum >= wanted)] ?? magnitudes.at(-1) ?? 0;
}
