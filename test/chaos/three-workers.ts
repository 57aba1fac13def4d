import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { operatorKey, SeveralWorkers } from '../several-workers/several-workers.ts';
import type { ChaosService } from './chaos-service.ts';

/** Milliseconds between two disturbances. */
const pause = 8_000;
/** The small network whose classes the jobs name. */
const MODELS = `shapes=${fileURLToPath(new URL('../../models/shapes/shapes.onnx', import.meta.url))}`;

/**
 * A gateway with three workers and a fourth whose clock is 20 minutes ahead. Each queue message is delivered twice. The
 * three are replaced in turn: most by SIGTERM, as a rollout does, every fourth by SIGKILL.
 */
export async function startThreeWorkers(): Promise<ChaosService> {
  // What is printed on stdout is the tally alone.
  process.env.WRANGLER_LOG ??= 'none';
  const service = await SeveralWorkers.start({
    workers: [{ MODELS }, { MODELS }, { MODELS }, { MODELS, CLOCK_AHEAD_SECONDS: '1200' }],
    doubled: true,
  });
  return {
    url: service.url,
    operatorKey,
    disturb: () => replaceInTurn(service),
    remove: () => service.stop(),
  };
}

function replaceInTurn(service: SeveralWorkers): () => Promise<Record<string, number>> {
  const replaced: Record<string, number> = {};
  const stop = new AbortController();
  const replacing = (async () => {
    for (let turn = 0; ; turn++) {
      await sleep(pause, undefined, { signal: stop.signal }).catch(() => {});
      if (stop.signal.aborted) return;
      const signal = turn % 4 === 3 ? 'SIGKILL' : 'SIGTERM';
      await service.workers[turn % 3]!.replace(signal);
      replaced[signal] = (replaced[signal] ?? 0) + 1;
    }
  })();
  return async () => {
    stop.abort();
    await replacing;
    return replaced;
  };
}
