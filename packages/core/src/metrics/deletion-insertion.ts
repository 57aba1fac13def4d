import type { Tensor } from '../tensor.ts';
import { batchOf, type Layout, pixelsOf, ranking } from './pixels.ts';
import type { Scorer } from './scorer.ts';

export interface DeletionInsertionOptions {
  /** The number of intervals of the curve: ceil(pixels / steps) pixels change at a time. */
  readonly steps?: number;
  /** The values of deleted pixels, [1, C, H, W]; zeros by default. */
  readonly deleted?: Tensor<'float32'>;
  /** The image that insertion starts from; `deleted` by default; RISE starts from `blurred`. */
  readonly start?: Tensor<'float32'>;
  readonly layout?: Layout;
}

export interface DeletionInsertion {
  /** Share of pixels changed at each point of the curves, 0 to 1. */
  readonly fractions: readonly number[];
  readonly deletion: readonly number[];
  readonly insertion: readonly number[];
  /** Areas under the curves: if the map is faithful, small for deletion and large for insertion. */
  readonly deletionAuc: number;
  readonly insertionAuc: number;
}

/**
 * Scores the image while pixels are deleted, and while they are inserted into `start`, the most relevant first.
 *
 * Defaults are those of torchcam's DeletionInsertionMetric: 20 steps of equal size except the last, both curves against
 * zeros, areas by the trapezoid rule over the fractions. For RISE's metric (Petsiuk et al., BMVC 2018), give `blurred`
 * as `start`, and choose `steps` so that each step is as many pixels as the image is wide.
 *
 * @param map one value per pixel, [H, W].
 */
export async function deletionInsertion(
  score: Scorer,
  image: Tensor<'float32'>,
  map: ArrayLike<number>,
  { steps = 20, deleted, start = deleted, layout = 'NCHW' }: DeletionInsertionOptions = {},
): Promise<DeletionInsertion> {
  const { count, pixelOf } = pixelsOf(image, layout, map);
  const rank = new Uint32Array(count);
  ranking(map).forEach((pixel, place) => {
    rank[pixel] = place;
  });
  const size = Math.ceil(count / steps);
  const changed = Array.from({ length: Math.ceil(count / size) }, (_, i) => i * size).concat(count);
  const curve = (from: Tensor<'float32'> | undefined, to: Tensor<'float32'> | undefined) =>
    score(
      batchOf(image, changed.length, (row, n) => {
        for (let i = 0; i < row.length; i++)
          row[i] = (rank[pixelOf(i)]! < changed[n]! ? to : from)?.data[i] ?? 0;
      }),
    );
  const fractions = changed.map((n) => n / count);
  const deletion = Array.from(await curve(image, deleted));
  const insertion = Array.from(await curve(start, image));
  return {
    fractions,
    deletion,
    insertion,
    deletionAuc: area(fractions, deletion),
    insertionAuc: area(fractions, insertion),
  };
}

/** Σ (xᵢ₊₁ - xᵢ)·(yᵢ + yᵢ₊₁)/2 */
export const area = (xs: readonly number[], ys: readonly number[]): number =>
  xs.slice(1).reduce((sum, x, i) => sum + ((x - xs[i]!) * (ys[i]! + ys[i + 1]!)) / 2, 0);

/**
 * Blurs the image as for the start of RISE's insertion: a kernel of 11 × 11 from a Gaussian of deviation 5 whose
 * tails are mirrored back into the kernel, with zeros beyond the border.
 */
export function blurred(image: Tensor<'float32'>, layout: Layout = 'NCHW'): Tensor<'float32'> {
  pixelsOf(image, layout);
  const [a, b, c] = image.shape.slice(1) as [number, number, number];
  const [channels, height, width] = layout === 'NCHW' ? [a, b, c] : [c, a, b];
  const [perChannel, perRow, perColumn] =
    layout === 'NCHW' ? [height * width, width, 1] : [1, width * channels, channels];
  const pass = (from: Float32Array, along: number, length: number, across: number, lines: number) => {
    const to = new Float32Array(from.length);
    for (let channel = 0; channel < channels; channel++)
      for (let line = 0; line < lines; line++)
        for (let at = 0; at < length; at++) {
          const base = channel * perChannel + line * across;
          let sum = 0;
          for (let k = Math.max(-reach, -at); k <= Math.min(reach, length - 1 - at); k++)
            sum += kernel[k + reach]! * from[base + (at + k) * along]!;
          to[base + at * along] = sum;
        }
    return to;
  };
  const across = pass(image.data, perColumn, width, perRow, height);
  return { ...image, data: pass(across, perRow, height, perColumn, width) as Float32Array<ArrayBuffer> };
}

const reach = 5;
const kernel = foldedGaussian(5);

/** Makes a Gaussian cut off at four deviations, mirrored at the ends of 2·reach + 1 places until all is inside. */
function foldedGaussian(deviation: number): Float64Array {
  const places = 2 * reach + 1;
  const folded = new Float64Array(places);
  let total = 0;
  for (let k = -4 * deviation; k <= 4 * deviation; k++) {
    const weight = Math.exp(-(k * k) / (2 * deviation * deviation));
    const at = (((k + reach) % (2 * places)) + 2 * places) % (2 * places);
    folded[at < places ? at : 2 * places - 1 - at]! += weight;
    total += weight;
  }
  return folded.map((weight) => weight / total);
}
