import { z } from 'zod';
import { InputError } from '../../errors.ts';
import { defineMethod, type Samples } from '../method.ts';
import { seedParam } from '../shared/noise.ts';
import { permutation } from '../shared/random.ts';
import {
  featureCount,
  featureParams,
  featuresOf,
  linearAttribution,
  onceEach,
  type WeightedSets,
} from './features.ts';
import { superpixelsOf } from './superpixels.ts';

/**
 * Shapley values by sampling: features are added to the baseline in random orders, and each gets the gain of
 * the score when it is added, [N, C, H, W].
 *
 *     attribution of feature m = 1/P Σ_p y_c(features before m in order p, and m) - y_c(features before m)
 *
 * The values of all features add up to y_c(x) - y_c(baseline), for any orders.
 *
 * @see Štrumbelj & Kononenko, "Explaining prediction models and individual predictions with feature contributions", 2014
 * @example
 * createExplainer(
 *   classifier,
 *   { method: 'shapley-sampling', parameters: { grid: '2x3', n_samples: 3 } },
 *   runtime,
 * )
 */
export const shapleySampling = defineMethod({
  id: 'shapley-sampling',
  title: 'Shapley values by sampling',
  summary: 'What each group of pixels adds to the score, averaged over random orders of adding them.',
  paper: 'https://doi.org/10.1007/s10115-013-0679-x',
  version: '1',
  kind: 'pixels',
  axioms: ['completeness', 'dummy', 'linearity', 'implementation invariance'],
  provided: { completeness: onceEach },
  needs: [],
  conventions: ['paper', 'captum'],
  parameters: z.strictObject({
    ...featureParams('7x7'),
    n_samples: z.int().min(1).default(25).describe('Random orders'),
    seed: seedParam,
  }),
  sampled: true,
  aux: ['feature_mask', 'permutations'],
  samplesFrom: (setting) => superpixelsOf(setting),
  explain(subject, setting) {
    const { n_samples, seed } = setting.parameters;
    const count = featureCount(featuresOf(setting, subject.aux));
    const drawn = () => Array.from({ length: n_samples }, (_, p) => permutation(seed, p, count));
    const orders = recordedOrders(subject.aux, count) ?? drawn();
    return linearAttribution(subject, setsAlong(orders, count), setting);
  },
});

/** Makes the sets that arise when features are added one after the other, in each order. */
function setsAlong(orders: readonly (readonly number[])[], count: number): WeightedSets {
  const share = 1 / orders.length;
  const kept = [Array<number>(count).fill(0)];
  const weights = [Array<number>(count).fill(0)];
  for (const order of orders) {
    let present = kept[0]!;
    let before = weights[0]!; // the empty image is shared by all orders, the whole image is the image itself
    for (const [step, feature] of order.entries()) {
      before[feature]! -= share;
      if (step === count - 1) break;
      present = present.with(feature, 1);
      before = Array<number>(count).fill(0);
      before[feature] = share;
      kept.push(present);
      weights.push(before);
    }
  }
  return { kept, weights };
}

/** Reads recorded orders [P, M]. */
function recordedOrders({ permutations }: Samples, count: number): number[][] | undefined {
  if (!permutations) return undefined;
  const all = Array.from(permutations.data as ArrayLike<number | bigint>, Number);
  const orders = Array.from({ length: permutations.shape[0]! }, (_, p) =>
    all.slice(p * count, (p + 1) * count),
  );
  if (
    permutations.shape[1] !== count ||
    orders.some((order) => new Set(order).size !== count || order.some((m) => m < 0 || m >= count))
  )
    throw new InputError(
      'invalid_tensor',
      `aux "permutations": expected orders of the features 0 to ${count - 1}, [samples, ${count}], got [${permutations.shape.join(', ')}]`,
    );
  return orders;
}
