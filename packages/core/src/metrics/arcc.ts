import type { Tensor } from '../tensor.ts';
import { batchOf, type Layout, mean, pixelsOf } from './pixels.ts';
import { road as removeAndDebias } from './road.ts';
import type { Scorer } from './scorer.ts';

export interface Arcc {
  /** Correlation r, as (r + 1)/2, of the map with the map of the image multiplied by the map. */
  readonly coherency: number;
  /** Mean of the map; 1 if everything is relevant. */
  readonly complexity: number;
  /** Twice ROAD's combined score, clamped to 0..1. */
  readonly road: number;
  /** The harmonic mean of coherency, 1 - complexity and road. */
  readonly arcc: number;
}

const percentiles = [20, 40, 60, 80];
const tiny = 1e-8;

/**
 * Measures whether a map is coherent, simple and faithful, like `ARCC` of pytorch-grad-cam, after ADCC (Poppi et al.,
 * CVPR Workshops 2021) with ROAD for the average drop.
 *
 * @param map one value in 0..1 per pixel, [H, W].
 * @param explain gives the map of another image [1, …] for the same class, in 0..1.
 */
export async function arcc(
  score: Scorer,
  image: Tensor<'float32'>,
  map: ArrayLike<number>,
  explain: (image: Tensor<'float32'>) => Promise<ArrayLike<number>>,
  { layout = 'NCHW', seed = 0 }: { readonly layout?: Layout; readonly seed?: number } = {},
): Promise<Arcc> {
  const { pixelOf } = pixelsOf(image, layout, map);
  const seen = batchOf(image, 1, (row) => {
    for (let i = 0; i < row.length; i++) row[i] = image.data[i]! * map[pixelOf(i)]!;
  });
  const coherency = (pearson(await explain(seen), map) + 1) / 2;
  const complexity = mean(Array.from(map, Math.abs));
  const { combined } = await removeAndDebias(score, image, map, { percentiles, layout, seed });
  const road = Math.min(Math.max(2 * combined, 0), 1);
  const parts = [coherency, 1 - complexity, road];
  return { coherency, complexity, road, arcc: 3 / parts.reduce((sum, part) => sum + 1 / (part + tiny), 0) };
}

/** Computes Pearson's correlation; 0 if one of the two does not vary. */
function pearson(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const [first, second] = [centred(a), centred(b)];
  const dot = (x: readonly number[], y: readonly number[]) =>
    x.reduce((sum, v, i) => sum + v * y[i]!, 0) / (x.length - 1);
  return dot(first, second) / (Math.sqrt(dot(first, first) * dot(second, second)) + tiny);
}

function centred(values: ArrayLike<number>): number[] {
  const all = Array.from(values);
  const middle = mean(all);
  return all.map((value) => value - middle);
}
