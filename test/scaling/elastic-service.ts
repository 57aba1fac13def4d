import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Tenant } from '@whylight/contract';
import { createTestHarness } from 'wrangler';
import { type Call, forward, listen } from '../several-workers/front.ts';
import { gatewayConfig } from '../several-workers/several-workers.ts';
import { bucketSettings, startStore } from '../several-workers/store.ts';
import { WorkerProcess } from '../several-workers/worker-process.ts';
import { deployedRule, Keda } from './keda.ts';

const keyOf = (name: string) => `${name}-key-of-this-test`;
const hashOf = (name: string) => createHash('sha256').update(keyOf(name)).digest('hex');
const main = fileURLToPath(new URL('../../apps/edge/src/index.ts', import.meta.url));
const shared = {
  ...bucketSettings,
  WORKER_SECRET: 'a secret that gateway and workers share',
};

/** Polls that a new worker needs before it gets calls: a node and an image come first. */
const pollsToStart = 3;
/** Milliseconds between two polls. KEDA's are farther apart; every time of the rule is a number of polls here. */
const pollTime = 100;

interface Replica {
  readonly process: Promise<WorkerProcess>;
  /** Set once calls may go to the worker. */
  url: string | null;
  polls: number;
}

/**
 * The gateway in workerd, with as many workers behind it as a simulated KEDA wants: none at first. Calls that find no worker lose
 * their connection, as at a Service without endpoints.
 */
export class ElasticService {
  readonly url: string;
  /** What each poll read, and how many replicas KEDA wanted then. */
  readonly polls: { readonly backlog: number | null; readonly replicas: number }[] = [];
  readonly #keda = new Keda(deployedRule());
  readonly #settings: Readonly<Record<string, string>>;
  readonly #restart: (scaler: string) => Promise<void>;
  readonly #stop: () => Promise<void>;
  readonly #workers: Replica[];
  #scaler = 'scaler';

  private constructor(
    url: string,
    settings: Readonly<Record<string, string>>,
    workers: Replica[],
    restart: (scaler: string) => Promise<void>,
    stop: () => Promise<void>,
  ) {
    this.url = url;
    this.#settings = settings;
    this.#workers = workers;
    this.#restart = restart;
    this.#stop = stop;
  }

  static async start(): Promise<ElasticService> {
    const started: (() => Promise<unknown>)[] = [];
    const stop = async () => {
      for (const end of started.reverse()) await end();
    };
    try {
      const { store, S3_ENDPOINT } = await startStore();
      started.push(() => store.dispose());

      const workers: Replica[] = [];
      started.push(() => Promise.all(workers.splice(0).map(stopReplica)));
      let turn = 0;
      const balancer = await listen(async (call) => {
        const ready = workers.flatMap(({ url }) => url ?? []);
        return ready.length === 0 ? null : forward(call, ready[turn++ % ready.length]!);
      });
      started.push(() => balancer.close());
      let gatewayUrl = '';
      const front = await listen((call: Call) => forward(call, gatewayUrl));
      started.push(() => front.close());

      const optionsOf = async (scaler: string) => {
        const config = await gatewayConfig(
          {
            ...{
              ...shared,
              S3_ENDPOINT,
              WORKER_URL: balancer.url,
              PUBLIC_URL: front.url,
              REQUEST_LOG: 'off',
            },
            ...{ OPERATOR_KEY_SHA256: hashOf('operator'), BACKLOG_KEY_SHA256: hashOf(scaler) },
          },
          false,
        );
        // As in production: a worker takes its time to start.
        const consumers = config.queues?.consumers?.map((consumer: { dead_letter_queue?: string }) =>
          consumer.dead_letter_queue ? { ...consumer, max_retries: 64 } : consumer,
        );
        return { workers: [{ config: { ...config, main, queues: { ...config.queues, consumers } } }] };
      };
      const gateway = createTestHarness(await optionsOf('scaler'));
      started.push(() => gateway.close());
      gatewayUrl = (await gateway.listen()).url.origin;
      await gateway.getWorker<{ DB: never }>().applyD1Migrations('DB');
      const restart = async (scaler: string) => {
        await gateway.update(await optionsOf(scaler));
        gatewayUrl = (await gateway.listen()).url.origin;
      };
      return new ElasticService(
        front.url,
        { ...shared, S3_ENDPOINT, S3_FORCE_PATH_STYLE: 'true', DRAIN_SECONDS: '25' },
        workers,
        restart,
        stop,
      );
    } catch (error) {
      await stop();
      throw error;
    }
  }

  /** Polls the backlog as KEDA does, and starts or stops workers as its rule says. @returns how many replicas it wants */
  async poll(): Promise<number> {
    const backlog = await this.#readBacklog();
    const replicas = this.#keda.poll(backlog);
    this.polls.push({ backlog, replicas });
    for (const replica of this.#workers) if (++replica.polls >= pollsToStart) await admit(replica);
    while (this.#workers.length < replicas)
      this.#workers.push({ process: WorkerProcess.start(this.#settings), url: null, polls: 0 });
    await Promise.all(this.#workers.splice(replicas).map(stopReplica));
    await sleep(pollTime);
    return replicas;
  }

  /** @returns null if the gateway cannot be reached, which KEDA's rule allows for */
  async #readBacklog(): Promise<number | null> {
    try {
      return (await this.call<{ backlog: number }>('GET', '/internal/backlog', keyOf(this.#scaler))).backlog;
    } catch (error) {
      if (error instanceof TypeError) return null;
      throw error;
    }
  }

  /** Starts the gateway anew with the same storage, and another key for the scaler: the one before would open nothing. */
  async restartGateway(): Promise<void> {
    this.#scaler = 'scaler-after-restart';
    await this.#restart(this.#scaler);
  }

  async newTenant(): Promise<Tenant> {
    return this.call<Tenant>('POST', '/v1/operator/tenants', keyOf('operator'), { name: 'scaled' });
  }

  async call<T>(method: string, path: string, key: string, body?: object): Promise<T> {
    const response = await fetch(this.url + path, {
      method,
      headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.json() as Promise<T>;
  }

  stop(): Promise<void> {
    return this.#stop();
  }
}

/** Lets calls go to a worker once it is ready. */
async function admit(replica: Replica): Promise<void> {
  replica.url ??= (await replica.process).url;
}

async function stopReplica(replica: Replica): Promise<void> {
  replica.url = null;
  await (await replica.process).stop();
}
