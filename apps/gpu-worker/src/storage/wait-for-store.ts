import { setTimeout as sleep } from 'node:timers/promises';
import type { Log, ProbedStorage } from './storage.ts';

interface Options {
  readonly log: Log;
  /** Gets the reason each time that the store does not work. */
  readonly onProblem: (reason: string) => void;
  readonly signal: AbortSignal;
  /** Milliseconds before the second try, which grow by half each time, up to `longest`. */
  readonly shortest?: number;
  readonly longest?: number;
  /** Milliseconds in which a store that does not answer is no news: it may start together with the worker. */
  readonly start?: number;
}

/** Resolves when the store works. The log has each reason once. @throws the reason of `signal` when it is aborted */
export async function waitForStore(
  storage: Pick<ProbedStorage, 'findProblem'>,
  { log, onProblem, signal, shortest = 250, longest = 30_000, start = 10_000 }: Options,
): Promise<void> {
  const began = performance.now();
  const logged = new Set<string>();
  for (let pause = shortest; ; pause = Math.min(pause * 1.5, longest)) {
    const problem = await storage.findProblem(signal, log);
    if (problem === null) break;
    const { reason, isAnswered } = problem;
    onProblem(reason);
    if (!logged.has(reason) && (isAnswered || performance.now() - began >= start)) {
      log('store_not_usable', { reason });
      logged.add(reason);
    }
    await sleep(pause, undefined, { signal });
  }
  if (logged.size > 0) log('store_usable');
}
