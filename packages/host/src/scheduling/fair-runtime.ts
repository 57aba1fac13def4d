import { AsyncLocalStorage } from 'node:async_hooks';
import type { Runtime } from '@whylight/core';
import { Budget } from './budget.ts';
import { FairQueue } from './fair-queue.ts';

const owners = new AsyncLocalStorage<string>();

/** Runs `work` on behalf of `owner`: if many want the device, each owner gets its turn. */
export const runAs = <T>(owner: string, work: () => T): T => owners.run(owner, work);

/** Runs that the device has at hand, so that it need not wait for this thread to give it the next. */
const atHand = 2;

/**
 * Shares the runs of `runtime` among owners by a fair queue. So a job of a thousand runs delays another owner's job of
 * one run by one run, not by a thousand.
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
