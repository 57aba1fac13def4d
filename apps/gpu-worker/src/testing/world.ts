import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import {
  artifactPrefix,
  type Catalog,
  type Claim,
  catalogSchema,
  claimSchema,
  type Job,
  type Order,
  type Presence,
  presencePath,
  presenceSchema,
  type Report,
  reportSchema,
  sign,
  verify,
} from '@whylight/contract';
import { readNpy, type Tensor } from '@whylight/core';
import { encodePng, shapesModel } from '@whylight/host';
import { parseEnv, type WorkerEnv } from '../env.ts';
import { JobFailure } from '../job-failure.ts';
import type { ProbedStorage, PutOptions, StoreProblem } from '../storage/storage.ts';
import { startWorker } from '../worker.ts';
import { jobFor } from './job.ts';
import { sharedThreads } from './shared-threads.ts';

export const secret = 'a secret that only gateway and worker know';
const now = () => Date.now() / 1000;
export const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** A question of many runs of the graph: small steps from black to the picture. */
export const long = { method: 'integrated-gradients', parameters: { n_steps: 500 } };

/** A PNG of `width` × `height`: a bright disc on a dark ground. */
export function disc(width = 160, height = 128): Promise<Uint8Array> {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    const inside = Math.hypot((i % width) - width / 2, Math.floor(i / width) - height / 2) < height / 4;
    data.fill(inside ? 220 : 40, i * 3, i * 3 + 3);
  }
  return encodePng({ width, height, channels: 3, data });
}

/** Storage in this process. */
export class MemoryStorage implements ProbedStorage {
  readonly objects = new Map<string, { bytes: Uint8Array; about: PutOptions | null }>();

  async get(object: string): Promise<Uint8Array> {
    const found = this.objects.get(object);
    if (!found) throw new JobFailure('upload_not_found', 'the uploaded photo is not there');
    return found.bytes;
  }

  async has(object: string): Promise<boolean> {
    return this.objects.has(object);
  }

  async put(object: string, bytes: Uint8Array, about: PutOptions): Promise<void> {
    this.objects.set(object, { bytes, about });
  }

  async findProblem(): Promise<StoreProblem | null> {
    return null;
  }

  close(): void {}
}

/** Listens for claims and reports: real HTTP, with checked signatures and answers that the test chooses. */
export async function listenAsGateway() {
  const reports: Report[] = [];
  const requests: IncomingMessage[] = [];
  const claims: (Claim & { readonly key: string })[] = [];
  const presences: Presence[] = [];
  let orders: Order[] = [];
  let ordered = Promise.withResolvers<void>();
  const gateway = {
    reports,
    requests,
    claims,
    presences,
    url: '',
    claimUrl: (key: string): string => gateway.url.replace('reports/1', `claims/${key}`),
    /** Status to answer a report with. */
    answer: (_: Report, __: number): number => 204,
    /** Status to answer a claim with, and the code of a refusal. */
    answerClaim: async (_: Claim, __: number): Promise<number | readonly [status: number, code: string]> =>
      204,
    /** The answer to a presence report: held until there are orders, if the worker waits. */
    answerPresence: async ({ wait, done }: Presence): Promise<{ status: number; body: object }> => {
      orders = orders.filter(({ id }) => !done.includes(id));
      if (wait > 0 && orders.length === 0) await ordered.promise;
      return { status: 200, body: { now: Date.now(), fault: null, catalog_known: true, orders } };
    },
    /** Gives the worker an order with its next presence report, or with the one under way. */
    order(order: Order): void {
      orders.push(order);
      ordered.resolve();
      ordered = Promise.withResolvers();
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const call = { direction: 'worker-to-gateway', method: 'POST', path: request.url!, body } as const;
    const headers = { get: (name: string) => request.headers[name.toLowerCase()] as string | undefined };
    if (!(await verify(secret, call, headers, now()))) return response.writeHead(401).end();
    if (request.url === presencePath) {
      const presence = presenceSchema.parse(JSON.parse(body));
      presences.push(presence);
      const answer = await gateway.answerPresence(presence);
      return response.writeHead(answer.status).end(JSON.stringify(answer.body));
    }
    const [, key] = /^\/claims\/([^?]+)/.exec(request.url!) ?? [];
    if (key !== undefined) {
      const claim = claimSchema.parse(JSON.parse(body));
      claims.push({ key, ...claim });
      const answer = await gateway.answerClaim(claim, claims.length);
      const [status, code] = typeof answer === 'number' ? [answer, 'any'] : answer;
      return response.writeHead(status).end(status === 204 ? '' : JSON.stringify({ code }));
    }
    const report = reportSchema.parse(JSON.parse(body));
    reports.push(report);
    requests.push(request);
    response.writeHead(gateway.answer(report, reports.length)).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  gateway.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/reports/1?shard=2`;
  return gateway;
}

/** A worker as a process has it, with the small network of drawn shapes, storage in memory, and a gateway that listens. */
export async function createWorld(
  settings: Partial<WorkerEnv> = {},
  storage = new MemoryStorage(),
  createRuntime = sharedThreads.createRuntime,
) {
  const gateway = await listenAsGateway();
  const lines: string[] = [];
  const env = parseEnv({
    PORT: '0',
    WORKER_SECRET: secret,
    S3_ENDPOINT: 'http://127.0.0.1:9',
    S3_BUCKET: 'unused',
    S3_ACCESS_KEY_ID: 'unused',
    S3_SECRET_ACCESS_KEY: 'unused',
    // Only the requests of a test may run.
    CHECK_SECONDS: '0',
  });
  const worker = await startWorker(
    { ...env, MODELS: [{ name: 'shapes', path: join(shapesModel, 'shapes.onnx') }], ...settings },
    (event, fields) => lines.push(JSON.stringify({ event, ...fields })),
    storage,
    { ...sharedThreads, createRuntime },
  );
  await worker.started;

  const call = async (method: 'GET' | 'POST', path: string, body = '', headers?: Record<string, string>) =>
    fetch(worker.url + path, {
      method,
      headers: headers ?? (await sign(secret, { direction: 'gateway-to-worker', method, path, body }, now())),
      ...(body ? { body } : {}),
    });
  const catalog = async (): Promise<Catalog> =>
    catalogSchema.parse(await (await call('GET', '/v1/models')).json());

  /** A job for the worker's first model and the photo, which lies in storage. */
  const prepared = async (
    photo: Uint8Array,
    { question, ...change }: Parameters<typeof jobFor>[0] = {},
  ): Promise<Job> => {
    const [model] = (await catalog()).models;
    const object = `t/acme/u/${sha256(photo)}`;
    storage.objects.set(object, { bytes: photo, about: null });
    return jobFor({
      input: { object, content_type: 'image/png', bytes: photo.byteLength },
      claim_url: gateway.claimUrl(change.key ?? jobFor().key),
      report_url: gateway.url,
      ...change,
      question: {
        image: sha256(photo),
        model: model!.digest,
        preprocessing: model!.preprocessing,
        ...question,
      },
    });
  };
  const post = (job: unknown) => call('POST', '/v5/jobs', JSON.stringify(job));

  /** Tells the worker that nobody wants this attempt any more. */
  const drop = ({ key, attempt }: Job) =>
    gateway.order({ order: 'drop', id: `${key}/${attempt}`, key, attempt });

  /** The report that ends the job. */
  const ending = async (): Promise<Report> => {
    for (;;) {
      const last = endings().at(-1);
      if (last) return last;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };

  /** The reports that have ended jobs. */
  const endings = (): Report[] =>
    gateway.reports.filter(({ status }) => ['succeeded', 'failed', 'handed_back'].includes(status));

  /** The prefix of the artifacts of a job that this worker has claimed. */
  const prefixOf = ({ claim_url, attempt, output_prefix }: Job): string => {
    const claim = gateway.claims.findLast(
      (each) => claim_url === gateway.claimUrl(each.key) && each.attempt === attempt,
    );
    return artifactPrefix(output_prefix, claim!.nonce);
  };

  /** The attribution that was written for a job. */
  const attribution = (job: Job) =>
    readNpy(storage.objects.get(`${prefixOf(job)}attribution.npy`)!.bytes) as Tensor<'float32'>;

  /** The value of a counter or gauge; with labels, the sum of the series whose labels contain `label`. */
  const metric = async (name: string, label = ''): Promise<number> => {
    const lines = (await (await fetch(`${worker.url}/metrics`)).text()).split('\n');
    const series = lines.filter(
      (line) => line.startsWith(`${name} `) || (line.startsWith(`${name}{`) && line.includes(label)),
    );
    return series.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  };

  return {
    ...{
      worker,
      gateway,
      storage,
      lines,
      call,
      catalog,
      prepared,
      post,
      drop,
      ending,
      endings,
      attribution,
      prefixOf,
      metric,
    },
    health: async () => (await fetch(`${worker.url}/health`)).json() as Promise<Record<string, unknown>>,
    async close() {
      await worker.stop();
      await gateway.close();
    },
  };
}
export type World = Awaited<ReturnType<typeof createWorld>>;
