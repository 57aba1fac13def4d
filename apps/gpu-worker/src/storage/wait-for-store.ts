import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../telemetry/log.ts';
import type { ProbedStorage } from './storage.ts';

interface Options {
  readonly log: Log;
  /** Gets each result that is no success. */
  readonly onFault: (fault: string) => void;
  readonly signal: AbortSignal;
  /** Milliseconds before the second try; doubled each time, up to `longest`. */
  readonly shortest?: number;
  readonly longest?: number;
}

/** Resolves when the store works. The log has each reason once. @throws the reason of `signal` when it is aborted */
export async function waitForStore(
  storage: Pick<ProbedStorage, 'findFault'>,
  { log, onFault, signal, shortest = 250, longest = 30_000 }: Options,
): Promise<void> {
  const logged = new Set<string>();
  for (let pause = shortest; ; pause = Math.min(pause * 2, longest)) {
    const fault = await storage.findFault(signal, log);
    if (fault === null) break;
    if (!logged.has(fault)) log('store_not_usable', { reason: fault });
    logged.add(fault);
    onFault(fault);
    await sleep(pause, undefined, { signal });
  }
  if (logged.size > 0) log('store_usable');
}
