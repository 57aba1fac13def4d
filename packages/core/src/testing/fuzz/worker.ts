import { parentPort, workerData } from 'node:worker_threads';
import { damaged } from '../mutations.ts';
import { type Outcome, outcomeOf } from '../outcome.ts';

/** An input that did not end as it must. */
export interface Finding {
  readonly seed: number;
  readonly what: string;
}

/** Numbers of inputs by outcome since the last message, and the longest time of an input, in milliseconds. */
export type Progress = Record<Outcome, number> & { slowest: number; slowestSeed: number };

const { models, start, end, at } = workerData as {
  readonly models: readonly Uint8Array[];
  readonly start: number;
  readonly end: number;
  /** The seed that is being tried, for the process that watches. */
  readonly at: Int32Array;
};

const none = (): Progress => ({ refused: 0, read: 0, explained: 0, slowest: 0, slowestSeed: -1 });
let progress = none();
for (let seed = start; seed < end; seed++) {
  Atomics.store(at, 0, seed);
  const input = damaged(models, seed);
  const began = performance.now();
  try {
    progress[outcomeOf(input, seed)]++;
  } catch (error) {
    const { message, stack = '' } = error as Error;
    const place = stack.split('\n').find((line) => line.includes('/packages/core/src/')) ?? '';
    parentPort!.postMessage({
      seed,
      what: `${message.slice(0, 60)} ${place.trim().replace(/\S*\/packages/, 'packages')}`,
    });
  }
  const took = performance.now() - began;
  if (took > progress.slowest) Object.assign(progress, { slowest: took, slowestSeed: seed });
  if (seed % 1000 === 0 || seed === end - 1) {
    parentPort!.postMessage(progress);
    progress = none();
  }
}
