import type { ExecutionProvider } from '@whylight/host';
import { Failure } from '../failure.ts';
import type { Child, LogLine } from './child.ts';
import type { ServedModel } from './models.ts';
import { Processes } from './processes.ts';
import { programFile } from './program.ts';
import { listeningUrl, untilReady } from './readiness.ts';

export interface LoneWorkerOptions {
  readonly model: ServedModel;
  /** 0: any free one. */
  readonly port: number;
  readonly host: string;
  readonly key?: string | undefined;
  readonly ep: ExecutionProvider;
  readonly threads?: number | undefined;
  readonly log: LogLine;
}

/** The worker finishes what it has taken within its DRAIN_SECONDS, 25. */
const patience = 28_000;

/** A worker that serves one model by itself. */
export class LoneWorker {
  readonly #options: LoneWorkerOptions;
  readonly #processes: Processes;
  #child: Child | undefined;

  constructor(options: LoneWorkerOptions) {
    this.#options = options;
    this.#processes = new Processes(options.log, patience);
  }

  /** Resolves when the model has run. @throws Failure */
  async start(): Promise<{ url: string; model: string }> {
    const { model, port, host, ep, key, threads } = this.#options;
    const said = { model: model.path, name: model.name, port, host, ep, threads };
    const args = Object.entries(said).flatMap(([name, value]) =>
      value === undefined ? [] : [`--${name}=${value}`],
    );
    // A key among the arguments could be read by everybody who lists processes.
    const child = this.#processes.start(
      'worker',
      [programFile('#worker'), ...args],
      key === undefined ? {} : { WORKER_API_KEY: key },
    );
    this.#child = child;
    const url = await child.line(listeningUrl);
    if (!url) throw new Failure('the worker did not start; its log says why');
    await untilReady(child, `${url.replace('//0.0.0.0', '//127.0.0.1').replace('[::]', '[::1]')}/readyz`);
    return { url, model: model.name };
  }

  /** Resolves with the reason when it ends by itself. */
  async failed(): Promise<string> {
    const status = await this.#child!.exited;
    return `the worker ended (${status}); its log says why`;
  }

  stop(): Promise<void> {
    return this.#processes.stop();
  }
}
