import { AsyncLocalStorage } from 'node:async_hooks';
import type { Runtime } from '@whylight/core';

const shares = new AsyncLocalStorage<string>();

/** Does `work` on behalf of `share`: where many want the device, each share has its turn. */
export const onBehalfOf = <T>(share: string, work: () => T): T => shares.run(share, work);

/** Runs that the device has at hand, so that it need not wait for this thread to give it the next. */
const atHand = 2;

/**
 * `runtime`, its runs taken in turns: one of each share that waits, however many another share has waiting. A job of a
 * thousand runs so delays a job of one run by one run, not by a thousand.
 */
export function inTurns(runtime: Runtime): Runtime {
  /** Runs that wait, by share; the share whose turn it is comes first. */
  const waiting = new Map<string, (() => Promise<void>)[]>();
  let running = 0;

  const next = () => {
    const [turn] = waiting;
    if (!turn || running >= atHand) return;
    const [share, runs] = turn;
    const run = runs.shift()!;
    waiting.delete(share);
    if (runs.length > 0) waiting.set(share, runs);
    running++;
    void run().finally(() => {
      running--;
      next();
    });
  };

  const queued = <T>(run: () => Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      const share = shares.getStore() ?? '';
      const runs = waiting.get(share) ?? [];
      runs.push(() => run().then(resolve, reject));
      waiting.set(share, runs);
      next();
    });

  return {
    ...runtime,
    async load(model) {
      const session = await runtime.load(model);
      return { run: (feeds) => queued(() => session.run(feeds)), close: () => session.close() };
    },
  };
}
