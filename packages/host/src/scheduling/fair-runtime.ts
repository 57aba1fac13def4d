import { AsyncLocalStorage } from 'node:async_hooks';
import type { Runtime, Session } from '@whylight/core';
import { Budget } from './budget.ts';
import { FairQueue } from './fair-queue.ts';

const owners = new AsyncLocalStorage<string>();

/** Runs `work` on behalf of `owner`: if many want the device, each owner gets its turn. */
export const runAs = <T>(owner: string, work: () => T): T => owners.run(owner, work);

/** Runs that the device has at hand, so that it need not wait for this thread to give it the next. */
const atHand = 2;

/** Numbers that a run is fed for each turn that it takes, and the most turns that one run takes. */
const turn = 2 ** 18;
const mostTurns = 32;

/** What a run takes of the device, in turns: about as much as it is fed. */
const costOf = (feeds: Parameters<Session['run']>[0]): number => {
  const numbers = Object.values(feeds).reduce((sum, { data }) => sum + data.length, 0);
  return Math.min(Math.max(numbers / turn, 1), mostTurns);
};

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
        run: (feeds) => {
          const task = { owner: owners.getStore() ?? '', claim: 1, cost: costOf(feeds) };
          return queue.run(task, () => session.run(feeds));
        },
        close: () => session.close(),
      };
    },
  };
}
