import type { ExecutionProvider } from '@whylight/host';
import type { Child } from './child.ts';
import type { ServedModel } from './models.ts';
import type { Processes } from './processes.ts';
import { programFile } from './program.ts';
import { listeningUrl, untilReady } from './readiness.ts';
import type { Secrets } from './secrets.ts';
import { sharedSettings } from './settings.ts';
import { endedAtStart } from './start-part.ts';

export interface WorkerOptions {
  readonly models: readonly ServedModel[];
  readonly ep: ExecutionProvider;
  /** Seconds for which the worker runs the methods on each model while no job runs; 0 runs no method. */
  readonly budget: number;
  readonly storeUrl: string;
  readonly secrets: Secrets;
  /** 0: any free one. */
  readonly port: number;
}

/** Starts the worker. @throws EndedAtStart, Failure */
export async function startWorker(
  processes: Processes,
  { models, ep, budget, storeUrl, secrets, port }: WorkerOptions,
): Promise<{ child: Child; url: string }> {
  const child = processes.start('worker', [programFile('#worker')], {
    ...sharedSettings(storeUrl, secrets),
    PORT: String(port),
    HOST: '127.0.0.1',
    MODELS: models.map(({ name, path }) => `${name}=${path}`).join('\n'),
    EXECUTION_PROVIDER: ep,
    CHECK_SECONDS: String(budget),
    DRAIN_SECONDS: '2',
  });
  const url = await child.line(listeningUrl);
  if (!url) throw await endedAtStart(child);
  return { child, url };
}

/** Resolves when it has loaded its models and reached the object store. @throws EndedAtStart, Failure */
export const workerReady = (child: Child, url: string): Promise<void> =>
  untilReady(child, `${url}/readyz`, `${url}/health`);
