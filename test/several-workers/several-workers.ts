import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Job, type Tenant, workerPaths } from '@whylight/contract';
import { createTestHarness, type TestHarnessOptions } from 'wrangler';
import { type Answer, type Call, type Front, forward, listen } from './front.ts';
import { bucketSettings, startStore } from './store.ts';
import { WorkerProcess } from './worker-process.ts';

type Config = Extract<TestHarnessOptions['workers'][number], { config: unknown }>['config'];
type Bucket = {
  list(options: { prefix: string }): Promise<{ objects: { key: string }[]; truncated: boolean }>;
};

type OnCall = (call: Call, pass: () => Promise<Response>) => Promise<Answer>;
const passOn: OnCall = (_, pass) => pass();

const edge = (path: string): string => fileURLToPath(new URL(`../../apps/edge/${path}`, import.meta.url));
export const operatorKey = 'operator-key-of-this-test';
const shared = {
  ...bucketSettings,
  WORKER_SECRET: 'a secret that gateway and workers share',
};

interface Options {
  /** The settings of each worker that differ from those of all. GATEWAY_URL `true` stands for the gateway's address. */
  readonly workers: readonly Readonly<Record<string, string>>[];
  /** Settings of the gateway that differ from those of all. */
  readonly gateway?: Readonly<Record<string, string>>;
  /** Whether the queue takes every message twice, and the balancer gives each POST to two workers. */
  readonly doubled: boolean;
}

/**
 * The gateway in workerd with several workers behind it, each a process, and a balancer that gives each call to the next of
 * them. If all is `doubled`, one attempt may have four deliveries at once.
 */
export class SeveralWorkers {
  readonly url: string;
  readonly workers: readonly WorkerProcess[];
  /** The workers that got an attempt (`key/attempt`), by their places in `workers`, one entry per delivery. */
  readonly deliveries: ReadonlyMap<string, readonly number[]>;
  /** Gets each call of the workers to the gateway, and gives the answer. */
  onCall: OnCall = passOn;
  readonly #stop: () => Promise<void>;
  readonly #bucket: Bucket;

  private constructor(
    url: string,
    workers: readonly WorkerProcess[],
    deliveries: ReadonlyMap<string, readonly number[]>,
    bucket: Bucket,
    stop: () => Promise<void>,
  ) {
    this.url = url;
    this.workers = workers;
    this.deliveries = deliveries;
    this.#bucket = bucket;
    this.#stop = stop;
  }

  static async start(options: Options): Promise<SeveralWorkers> {
    const started: (() => Promise<unknown>)[] = [];
    const stop = async () => {
      for (const end of started.reverse()) await end();
    };
    try {
      const { store, S3_ENDPOINT } = await startStore();
      started.push(() => store.dispose());

      let gatewayUrl = '';
      let service: SeveralWorkers | undefined;
      const front = await listen((call) =>
        (service?.onCall ?? passOn)(call, () => forward(call, gatewayUrl)),
      );
      started.push(() => front.close());
      const settings = { ...shared, S3_ENDPOINT, S3_FORCE_PATH_STYLE: 'true' };
      const workers = await Promise.all(
        options.workers.map(({ GATEWAY_URL, ...own }, i) =>
          WorkerProcess.start({
            ...settings,
            WORKER_ID: `w${i}`,
            ...(GATEWAY_URL && { GATEWAY_URL: front.url }),
            ...own,
          }),
        ),
      );
      started.push(() => Promise.all(workers.map((worker) => worker.stop())));
      const { balancer, deliveries } = await balance(workers, options.doubled);
      started.push(() => balancer.close());

      const vars = {
        ...{ ...shared, S3_ENDPOINT, WORKER_URL: balancer.url, PUBLIC_URL: front.url, REQUEST_LOG: 'off' },
        OPERATOR_KEY_SHA256: createHash('sha256').update(operatorKey).digest('hex'),
        WEBHOOK_SECRET: 'what webhook secrets are derived from',
        WEBHOOKS_ALLOW_LOOPBACK: 'true',
        ...options.gateway,
      };
      const gateway = createTestHarness({
        workers: [{ config: await gatewayConfig(vars, options.doubled) }],
      });
      started.push(() => gateway.close());
      gatewayUrl = (await gateway.listen()).url.origin;
      await gateway.getWorker<{ DB: never }>().applyD1Migrations('DB');
      const bucket: Bucket = await store.getR2Bucket('PHOTOS');
      service = new SeveralWorkers(gatewayUrl, workers, deliveries, bucket, stop);
      return service;
    } catch (error) {
      await stop();
      throw error;
    }
  }

  /** Creates a tenant with limits that no test reaches. */
  async newTenant(name: string): Promise<Tenant> {
    const tenant = await this.call<Tenant>('POST', '/v1/operator/tenants', operatorKey, { name });
    const limits = { requests: 100_000, concurrency: 1_000, compute_units: 1_000_000, batches: 20 };
    await this.call('PUT', `/v1/operator/tenants/${tenant.id}/limits`, operatorKey, limits);
    return tenant;
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

  /** Names of the objects that a tenant's computations have left. */
  async objects({ id }: Tenant): Promise<string[]> {
    const { objects, truncated } = await this.#bucket.list({ prefix: `t/${id}/x/` });
    if (truncated) throw new Error('the store has more objects than one list shows');
    return objects.map(({ key }) => key);
  }

  /** Gives the sum of a counter over all workers. */
  async counter(name: string, label?: string): Promise<number> {
    const values = await Promise.all(this.workers.map((worker) => worker.counter(name, label)));
    return values.reduce((sum, value) => sum + value, 0);
  }

  /** Stops the workers first: the gateway holds their presence reports, and would wait for the end of each. */
  async stop(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.stop()));
    await this.#stop();
  }
}

/** Gives each call to the next worker; if `doubled`, a POST to the one after it as well, at the same time. */
async function balance(
  workers: readonly WorkerProcess[],
  doubled: boolean,
): Promise<{ balancer: Front; deliveries: Map<string, number[]> }> {
  const deliveries = new Map<string, number[]>();
  let turn = 0;
  const balancer = await listen(async (call) => {
    const place = turn++ % workers.length;
    if (call.method !== 'POST') return forward(call, workers[place]!.url);
    const places = doubled ? [place, (place + 1) % workers.length] : [place];
    if (call.path === workerPaths.jobs) {
      const { key, attempt } = JSON.parse(call.body.toString()) as Job;
      deliveries.set(`${key}/${attempt}`, [...(deliveries.get(`${key}/${attempt}`) ?? []), ...places]);
    }
    const [answer] = await Promise.all(places.map((each) => forward(call, workers[each]!.url)));
    return answer!;
  });
  return { balancer, deliveries };
}

/** The gateway's own configuration, with another entry, settings and absolute paths. */
export async function gatewayConfig(vars: Record<string, string>, doubled: boolean): Promise<Config> {
  const text = await readFile(edge('wrangler.jsonc'), 'utf8');
  // Comments of that file stand on lines of their own.
  const { env: _, $schema: __, ...own } = JSON.parse(text.replace(/^\s*\/\/.*$/gm, ''));
  return {
    ...own,
    main: edge(doubled ? 'test/doubled-messages/index.ts' : 'src/index.ts'),
    assets: { ...own.assets, directory: edge(own.assets.directory) },
    d1_databases: own.d1_databases.map((each: object) => ({ ...each, migrations_dir: edge('migrations') })),
    vars,
  };
}
