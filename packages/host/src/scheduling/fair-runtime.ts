import { AsyncLocalStorage } from 'node:async_hooks';
import type { Runtime } from '@whylight/core';
import { Budget } from './budget.ts';
import { FairQueue } from './fair-queue.ts';

const owners = new AsyncLocalStorage<string>();

/** Runs `work` on behalf of `owner`: where many want the device, each owner gets its turn. */
export const runAs = <T>(owner: string, work: () => T): T => owners.run(owner, work);

/** Runs that the device has at hand, so that it need not wait for this thread to give it the next. */
const atHand = 2;

/**
 * `runtime`, whose runs a fair queue shares among owners. A job of a thousand runs so delays another owner's job of one run
 * by a run, not by a thousand.
 */
export function shareFairly(runtime: Runtime): Runtime {
  const queue = new FairQueue({ capacity: new Budget(atHand) });
  return {
    ...runtime,
    async load(model) {
      const session = await runtime.load(model);
      return {
        run: (feeds) => queue.run({ owner: owners.getStore() ?? '', claim: 1 }, () => session.run(feeds)),
        close: () => session.close(),
      };
    },
  };
}
