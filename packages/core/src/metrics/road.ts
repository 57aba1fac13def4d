import { normals } from '../methods/shared/random.ts';
import type { Tensor } from '../tensor.ts';
import { imputed } from './imputation.ts';
import { batchOf, type Layout, mean, pixelsOf } from './pixels.ts';
import type { Scorer } from './scorer.ts';

export interface RoadOptions {
  /** Percentiles of the map at which pixels are removed; 10, 20 … 90 by default. */
  readonly percentiles?: readonly number[];
  /** Deviation of the noise on filled pixels, in units of the normalised image. */
  readonly noise?: number;
  readonly seed?: number;
  readonly layout?: Layout;
}

export interface Road {
  /** Change of the score when pixels at or above the percentile are filled, mean over percentiles: low is good. */
  readonly mostRelevantFirst: number;
  /** The same on 1 - map: the most relevant pixels are left, so high is good. */
  readonly leastRelevantFirst: number;
  /** (LeRF - MoRF) / 2 */
  readonly combined: number;
}

const deciles = [10, 20, 30, 40, 50, 60, 70, 80, 90];

/**
 * Remove and debias: pixels are filled from their neighbours instead of blackened, so that their outline gives the
 * network no information (Rong et al., ICML 2022), as in ROADCombined of pytorch-grad-cam.
 *
 * @param map one value per pixel, [H, W].
 */
export async function road(
  score: Scorer,
  image: Tensor<'float32'>,
  map: ArrayLike<number>,
  { percentiles = deciles, noise = 0.01, seed = 0, layout = 'NCHW' }: RoadOptions = {},
): Promise<Road> {
  const { pixelOf } = pixelsOf(image, layout, map);
  const inverse = Float32Array.from(map, (value) => 1 - value);
  let stream = 0;
  const change = async (ranked: ArrayLike<number>) => {
    const scores = await score(
      batchOf(image, percentiles.length + 1, (row, n) => {
        row.set(image.data);
        if (n === 0) return;
        const threshold = percentile(ranked, percentiles[n - 1]!);
        const kept = Array.from(ranked, (value) => value < threshold);
        const grain = normals(seed, row.length, row.length * stream++);
        row.set(imputed(image, kept, layout));
        for (let i = 0; i < row.length; i++) if (!kept[pixelOf(i)]) row[i]! += noise * grain[i]!;
      }),
    );
    return mean(Array.from(scores).slice(1)) - scores[0]!;
  };
  const mostRelevantFirst = await change(map);
  const leastRelevantFirst = await change(inverse);
  return { mostRelevantFirst, leastRelevantFirst, combined: (leastRelevantFirst - mostRelevantFirst) / 2 };
}

/** Interpolates linearly between the two nearest ranks, like NumPy's default. */
export function percentile(values: ArrayLike<number>, percent: number): number {
  const sorted = Float64Array.from(values).sort();
  const place = ((sorted.length - 1) * percent) / 100;
  const below = sorted[Math.floor(place)]!;
  return below + (sorted[Math.ceil(place)]! - below) * (place - Math.floor(place));
}
