/**
 * Counter-based random numbers: the k-th number of a seed is a function of seed and k alone, so that chunks, runtimes
 * and machines agree.
 */

/** Multipliers of the hash, both below 2³¹. */
export const multipliers = [0x21f0aaad, 0x735a2d97] as const;

const mix = (x: number): number => {
  let h = x >>> 0;
  h = Math.imul(h ^ (h >>> 16), multipliers[0]);
  h = Math.imul(h ^ (h >>> 15), multipliers[1]);
  return (h ^ (h >>> 15)) >>> 0;
};

/** Computes the bits of a seed that are mixed into the hash of a counter. */
export const salt = (seed: number): number => mix(Math.imul(seed, 0x9e3779b9) + 0x85ebca6b);

const bits = (seed: number, counter: number): number => mix(mix(counter) ^ salt(seed));

/** Gives a number in the open interval (0, 1). */
export const uniform = (seed: number, counter: number): number => (bits(seed, counter) + 0.5) / 2 ** 32;

/** Gives values `start` to `start + count` of N(0, 1), by Box and Muller: two values from two uniform numbers. */
export function normals(seed: number, count: number, start = 0): Float32Array<ArrayBuffer> {
  const values = new Float32Array(count);
  for (let pair = start - (start % 2); pair < start + count; pair += 2) {
    const radius = Math.sqrt(-2 * Math.log(uniform(seed, pair)));
    const angle = 2 * Math.PI * uniform(seed, pair + 1);
    if (pair >= start) values[pair - start] = radius * Math.cos(angle);
    if (pair + 1 < start + count) values[pair + 1 - start] = radius * Math.sin(angle);
  }
  return values;
}

/** Gives 0 … n-1 in random order, by Fisher and Yates; each `stream` of a seed has its own permutation. */
export function permutation(seed: number, stream: number, n: number): number[] {
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(uniform(seed, stream * n + i) * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
