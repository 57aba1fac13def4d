import { InputError } from '../../errors.ts';
import type { Samples } from '../method.ts';
import { uniform } from '../shared/random.ts';

// Sets of features that are kept, for methods that fit a model to the score without the other features.

/** Reads recorded sets [S, M] of 0 and 1. */
export function recordedCoalitions({ samples }: Samples, count: number): number[][] | undefined {
  if (!samples) return undefined;
  const all = Array.from(samples.data as ArrayLike<number | bigint>, Number);
  if (samples.shape.length !== 2 || samples.shape[1] !== count || all.some((v) => v !== 0 && v !== 1))
    throw new InputError(
      'invalid_tensor',
      `aux "samples": expected 0 and 1, [samples, ${count}], got [${samples.shape.join(', ')}]`,
    );
  return Array.from({ length: samples.shape[0]! }, (_, s) => all.slice(s * count, (s + 1) * count));
}

/** Draws sets in which each feature is kept with probability 1/2. */
export const coinFlips = (seed: number, sets: number, count: number): number[][] =>
  Array.from({ length: sets }, (_, s) =>
    Array.from({ length: count }, (_, m) => Number(uniform(seed, s * count + m) < 0.5)),
  );

/** Makes the full set, the empty set, then sets of sizes k with probability ∝ (M - 1)/(k(M - k)), Shapley's kernel. */
export function shapleyCoalitions(seed: number, sets: number, count: number): number[][] {
  const sizes = Array.from(
    { length: Math.max(count - 1, 0) },
    (_, i) => (count - 1) / ((i + 1) * (count - 1 - i)),
  );
  const total = sizes.reduce((a, b) => a + b, 0);
  const stride = count + 1;
  return Array.from({ length: sets }, (_, s) => {
    if (s < 2 || count === 1) return Array<number>(count).fill(s % 2 === 0 ? 1 : 0);
    const drawn = uniform(seed, s * stride) * total;
    const size =
      sizes.findIndex((_, i) => drawn < sizes.slice(0, i + 1).reduce((a, b) => a + b)) + 1 || count - 1;
    const draws = Array.from({ length: count }, (_, m) => uniform(seed, s * stride + 1 + m));
    const limit = draws.toSorted((a, b) => b - a)[size - 1]!;
    return draws.map((d) => Number(d >= limit));
  });
}
