import { setTimeout as sleep } from 'node:timers/promises';
import { RunningService } from '../service/running-service.ts';
import type { ChaosService } from './chaos-service.ts';

const victims = [['gpu-worker'], ['workerd-'], ['gpu-worker', 'workerd-']] as const;

/** Milliseconds between two kills: `whylight serve` gives up a part that dies more than three times in a minute. */
const shortest = 21_000;
const longest = 30_000;

/** `whylight serve`: a gateway and a worker, both of which are killed. */
export async function startOneWorker(): Promise<ChaosService> {
  const service = await RunningService.start();
  const { url, operator_key: operatorKey } = service.ready;
  return { url, operatorKey, disturb: () => startKilling(service), remove: () => service.remove() };
}

/**
 * Kills the worker, the gateway or both, at random moments, until it is stopped; `whylight serve` starts the killed
 * parts again. @returns a function that stops it and gives the count of kills by part
 */
function startKilling(service: RunningService): () => Promise<Record<string, number>> {
  const killed: Record<string, number> = {};
  const stop = new AbortController();
  const killing = (async () => {
    for (;;) {
      const pause = shortest + Math.random() * (longest - shortest);
      await sleep(pause, undefined, { signal: stop.signal }).catch(() => {});
      if (stop.signal.aborted) return;
      const parts = victims[Math.floor(Math.random() * victims.length)]!;
      const name = parts.map((part) => (part === 'workerd-' ? 'gateway' : 'worker')).join(' and ');
      const pids = (await Promise.all(parts.map((part) => service.processes(part)))).flat();
      for (const pid of pids) process.kill(pid, 'SIGKILL');
      if (pids.length > 0) killed[name] = (killed[name] ?? 0) + 1;
    }
  })();
  return async () => {
    stop.abort();
    await killing;
    return killed;
  };
}
