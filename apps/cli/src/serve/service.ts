import { resolve } from 'node:path';
import type { ExecutionProvider } from '@whylight/host';
import { gatewayBundle } from '#gateway-bundle';
import { Failure } from '../failure.ts';
import type { Child, LogLine } from './child.ts';
import { gatewayReady, startGateway } from './gateway.ts';
import { keepRunning, type Part } from './keep-running.ts';
import { lock } from './lock.ts';
import { type ServedModel, servedModels } from './models.ts';
import { freePort, nextPort } from './port.ts';
import { Processes } from './processes.ts';
import { openSecrets, type Secrets } from './secrets.ts';
import { writeSettings } from './settings.ts';
import { startPart } from './start-part.ts';
import { firstTenant } from './tenant.ts';
import { startWorker, workerReady } from './worker.ts';

export interface ServiceOptions {
  /** 0: any free port. */
  readonly port: number;
  /** The folder of all state. */
  readonly directory: string;
  /** Origins whose pages may call the API and use signed URLs. */
  readonly corsOrigins: readonly string[];
  /** Registered names, paths, or NAME=PATH; the first is the default. The embedded models are there too. */
  readonly models: readonly string[];
  readonly ep: ExecutionProvider;
  /** Seconds for which the worker runs the methods on each model while no job runs; 0 runs no method. */
  readonly budget: number;
  /** True logs all output of the gateway; false logs only its warnings and failures. */
  readonly verbose: boolean;
  readonly log: LogLine;
}

/** The data that a user needs to talk to the service. */
export interface Access {
  readonly url: string;
  readonly operatorKey: string;
  readonly tenant: string;
  readonly apiKey: string;
  /** The object store, to which signed URLs lead. */
  readonly storeUrl: string;
  /** The worker, on the loopback interface: /health, /metrics. */
  readonly workerUrl: string;
}

/** The gateway's Miniflare needs Node 22; the other commands of a published package run on Node 20 too. @throws Failure */
function checkNode(): void {
  const { node } = process.versions;
  if (Number.parseInt(node, 10) < 22)
    throw new Failure(`the service needs Node 22.13 or newer, this is ${node}; install one and run it again`);
}

/** The whole service as processes of this machine: worker, gateway with workerd and the store in it, and a guard. */
export class Service {
  readonly #options: ServiceOptions;
  readonly #running: [part: Part, child: Child][] = [];
  #processes: Processes | undefined;
  #unlock: (() => void) | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: ServiceOptions) {
    this.#options = { ...options, directory: resolve(options.directory) };
  }

  /**
   * Starts everything; after a failure nothing is left running.
   *
   * @throws Failure. @throws UsageError, ModelNotFoundError, InputError for a model that cannot be served
   */
  async start(): Promise<Access> {
    const { directory, log } = this.#options;
    checkNode();
    const models = await servedModels(this.#options.models);
    const port = await freePort(this.#options.port);
    const storePort = await (this.#options.port === 0 ? freePort(0) : nextPort(port));
    const urls = { url: `http://127.0.0.1:${port}`, storeUrl: `http://127.0.0.1:${storePort}` };
    const secrets = await openSecrets(directory);
    this.#unlock = lock(directory);
    try {
      this.#processes = new Processes(log);
      return await this.#bringUp(this.#processes, urls, secrets, models);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Restarts parts that end unasked; resolves with the reason, as a sentence, if that does not help. */
  failed(): Promise<string> {
    const log: LogLine = (source, line) => {
      if (!this.#stopped) this.#options.log(source, line);
    };
    return Promise.race(this.#running.map(([part, child]) => keepRunning(part, child, log)));
  }

  /** Ends everything, within five seconds. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    await this.#processes?.stop();
    this.#unlock?.();
  }

  async #bringUp(
    processes: Processes,
    { url, storeUrl }: Pick<Access, 'url' | 'storeUrl'>,
    secrets: Secrets,
    models: readonly ServedModel[],
  ): Promise<Access> {
    const { directory, ep, budget, verbose, corsOrigins } = this.#options;
    const log: LogLine = (source, line) => {
      if (!this.#stopped) this.#options.log(source, line);
    };
    const newWorker = (port: number) =>
      startWorker(processes, { models, ep, budget, storeUrl, secrets, port });

    const again = { name: 'worker', log };
    const [worker, bundle] = await Promise.all([
      startPart(() => newWorker(0), again),
      gatewayBundle(processes),
    ]);
    const workerUrl = worker.url;
    const port = Number(new URL(workerUrl).port);
    let begun: Child | undefined = worker.child;
    /** The first worker, which is on its way, and after it others in the same place. */
    const readyWorker = () =>
      startPart(async () => {
        const child = begun ?? (await newWorker(port)).child;
        begun = undefined;
        await workerReady(child, workerUrl);
        return child;
      }, again);
    await writeSettings(directory, secrets, { url, storeUrl, workerUrl, corsOrigins });
    const newGateway = () => startGateway(processes, { bundle, directory, url, storeUrl, verbose });
    const gateway = newGateway();
    const [ready] = await Promise.all([readyWorker(), gatewayReady(gateway, url)]);

    const workerPart: Part = { name: 'worker', restart: readyWorker };
    const gatewayPart: Part = {
      name: 'gateway',
      restart: async () => {
        const child = newGateway();
        await gatewayReady(child, url);
        return child;
      },
    };
    this.#running.push([workerPart, ready], [gatewayPart, gateway]);
    const { tenant, apiKey } = await firstTenant(url, directory, secrets);
    return { url, storeUrl, workerUrl, operatorKey: secrets.operatorKey, tenant, apiKey };
  }
}
