import { floatMap, resizeMap } from '@whylight/core/image';
import { rankCorrelation } from '@whylight/core/metrics';
import type { Result } from '../engine/engine.ts';
import { orderOf } from '../engine/order-of.ts';

/** The side to which maps are brought: that of the coarsest maps is seven, and finer detail says nothing of agreement. */
const side = 28;

/** How far the orders of two maps' values agree (Spearman's correlation): 1 the same order, 0 none, −1 the opposite. */
export function agreementsOf(result: Result, others: readonly Result[]): number[] {
  const own = small(result);
  return others.map((other) => rankCorrelation(own, small(other)));
}

function small(result: Result): Float32Array {
  const { values, width, height } = orderOf(result);
  return resizeMap(floatMap(width, height, values), side, side, 'bilinear').data;
}
