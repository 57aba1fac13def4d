import { runDurableObjectAlarm } from 'cloudflare:test';
import { env, exports } from 'cloudflare:workers';
import {
  artifactNames,
  artifactPrefix,
  type Claim,
  type Explanation,
  type ExplanationRequest,
  type Job,
  type Presence,
  type Problem,
  type RenderingJob,
  type Report,
  type Result,
  sha256Hex,
  sign,
  type Tenant,
  type Upload,
  workerPaths,
} from '@whylight/contract';
import { numericsVersion } from '@whylight/core/methods';
import { expect, vi } from 'vitest';
import type { Bindings } from '../src/env.ts';
import { services } from '../src/services.ts';
import { expectDocumented } from './documented.ts';
import { operatorKey, workerSecret } from './secrets.ts';

export const bindings = env as unknown as Bindings;

export interface Answer<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
  readonly text: string;
}

interface Sent {
  readonly key?: string;
  /** Sent as JSON, or as it is if it is a string. */
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

/** One request to the gateway, over its real entry point. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every kind
export async function call<T = any>(
  method: string,
  path: string,
  { key, body, headers }: Sent = {},
): Promise<Answer<T>> {
  const sent = new Headers(headers);
  if (key !== undefined) sent.set('Authorization', `Bearer ${key}`);
  if (body !== undefined && !sent.has('Content-Type')) sent.set('Content-Type', 'application/json');
  const response = await (exports as unknown as { default: Fetcher }).default.fetch(
    `http://gateway.test${path}`,
    {
      method,
      headers: sent,
      redirect: 'manual',
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    },
  );
  const text = await response.text();
  expectDocumented(method, path, response, text);
  const isJson = response.headers.get('Content-Type')?.includes('json');
  return {
    status: response.status,
    headers: response.headers,
    body: (isJson && text ? JSON.parse(text) : null) as T,
    text,
  };
}

export async function newTenant(name = 'acme'): Promise<{ id: string; key: string }> {
  const { status, body } = await call<Tenant>('POST', '/v1/operator/tenants', {
    key: operatorKey,
    body: { name },
  });
  expect(status).toBe(201);
  return { id: body.id, key: body.key.secret };
}

export async function newKey(key: string, wish: object): Promise<string> {
  const { status, body } = await call('POST', '/v1/keys', { key, body: wish });
  expect(status).toBe(201);
  return body.secret;
}

/** Bytes that no other test has: their content is what requests are about. */
export const photo = (): Uint8Array<ArrayBuffer> => crypto.getRandomValues(new Uint8Array(64));

export async function announce(key: string, bytes: Uint8Array<ArrayBuffer>): Promise<Upload> {
  const body = { content_type: 'image/png', content_length: bytes.length, sha256: await sha256Hex(bytes) };
  const answer = await call<Upload>('POST', '/v1/uploads', { key, body });
  expect(answer.status).toBe(201);
  return answer.body;
}

export const put = (
  { upload }: Upload,
  bytes: Uint8Array<ArrayBuffer>,
  headers = upload!.headers,
): Promise<Response> => fetch(upload!.url, { method: 'PUT', headers, body: bytes });

/** Announces and puts. */
export async function uploaded(key: string, bytes = photo()): Promise<Upload> {
  const upload = await announce(key, bytes);
  expect((await put(upload, bytes)).status).toBe(200);
  return upload;
}

export const explain = (
  key: string,
  body: Partial<ExplanationRequest>,
  headers: Record<string, string> = {},
): Promise<Answer<Explanation>> =>
  call('POST', '/v1/explanations', { key, body: { method: 'grad-cam', ...body }, headers });

/** An answer without the signed URLs of its links, which the gateway makes anew for each answer. */
export const unsigned = <T>(answer: T): T =>
  JSON.parse(
    JSON.stringify(answer, (_, member) => {
      if (typeof member !== 'object' || member === null || !('signed_url' in member)) return member;
      const { signed_url: _url, expires_at: _time, ...link } = member;
      return link;
    }),
  );

export const cacheKeyOf = ({ cache }: Explanation): string => cache.key!.slice('sha256:'.length);

/** The jobs of this key that the worker has taken, as soon as there are `count`. */
export const jobsTaken = (key: string, count = 1): Promise<Job[]> =>
  vi.waitFor(
    async () => {
      const jobs = (await (await fetch(`${bindings.WORKER_URL}/taken?key=${key}`)).json()) as Job[];
      expect(jobs.length).toBeGreaterThanOrEqual(count);
      return jobs;
    },
    { timeout: 20_000, interval: 25 },
  );

/** A presence report of a worker of this release, which still loads its models; `change` says what is different. */
export const presenceOf = (worker: string, change: Partial<Presence> = {}): Presence => ({
  worker,
  release: '0.0.0',
  contract: workerPaths.jobs,
  numerics_version: numericsVersion,
  state: 'starting',
  clock: Date.now(),
  catalog: null,
  done: [],
  wait: 0,
  ...change,
});

/** The attempts (`key?attempt=n`) that the worker which claims them, w1, was told to drop. */
export async function jobsDropped(): Promise<string[]> {
  const { orders } = await services(bindings).workerRegistry().report(presenceOf('w1'));
  return orders.flatMap((each) => (each.order === 'drop' ? [`${each.key}?attempt=${each.attempt}`] : []));
}

/** The drawings of this computation that the worker was asked for. */
export const renderingsOf = async (key: string): Promise<RenderingJob[]> =>
  ((await (await fetch(`${bindings.WORKER_URL}/drawn`)).json()) as RenderingJob[]).filter(
    ({ output_prefix }) => output_prefix.includes(key),
  );

/** Puts bytes where the worker would have written them, whatever is there. */
export async function write(object: string, text: string): Promise<void> {
  const url = await services(bindings).objects.signedPut(object, {});
  expect((await fetch(url, { method: 'PUT', body: text })).status).toBe(200);
}

/** Lets the watchdog look at a computation when `milliseconds` have gone by. */
export async function later(stub: DurableObjectStub, milliseconds: number): Promise<void> {
  await at(milliseconds, () => runDurableObjectAlarm(stub));
}

/** Does something when `milliseconds` have gone by. */
export async function at<T>(milliseconds: number, what: () => Promise<T>): Promise<T> {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + milliseconds });
  return what().finally(() => vi.useRealTimers());
}

/** What the worker answers the next jobs with. */
export const workerAnswers = (status: number): Promise<Response> =>
  fetch(`${bindings.WORKER_URL}/answer`, { method: 'PUT', body: String(status) });

/** The nonce under which the tests' worker claims an attempt: always the same for the same lease. */
export const nonceOf = ({ lease }: Pick<Job, 'lease'>): string => lease.replaceAll('-', '');

/** Where the worker writes once it has claimed the job. */
export const prefixOf = (job: Job): string => artifactPrefix(job.output_prefix, nonceOf(job));

/** Sends something as the worker would. */
export async function say(url: string, body: object, secret = workerSecret): Promise<Answer<Problem | null>> {
  const path = new URL(url).pathname;
  const text = JSON.stringify(body);
  const signed = { direction: 'worker-to-gateway', method: 'POST', path, body: text } as const;
  return call('POST', path, { body: text, headers: await sign(secret, signed, Date.now() / 1000) });
}

/** Claims the attempt as the worker does before it begins; `change` says what is different. */
export const claim = (
  job: Job,
  change: Partial<Claim> = {},
  secret?: string,
): Promise<Answer<Problem | null>> => {
  const { attempt, lease } = job;
  return say(job.claim_url, { attempt, lease, nonce: nonceOf(job), worker: 'w1', ...change }, secret);
};

/** Sends a report as the worker would, which has claimed the attempt before. */
export async function report(job: Job, body: object, secret?: string): Promise<Answer<Problem | null>> {
  await claim(job);
  const { attempt, lease } = job;
  return say(job.report_url, { attempt, lease, nonce: nonceOf(job), ...body }, secret);
}

const circle = { class_index: 0, label: 'circle', label_zh: null, probability: 0.75, score: 3.5 };

const resultOf = ({ question }: Job): Result => ({
  method: question.method,
  convention: question.convention,
  parameters: question.parameters,
  layers: ['last'],
  task: 'multiclass',
  target: circle,
  predictions: [circle],
  attribution: { shape: [128, 128], minimum: 0, maximum: 1, sum: 12.5, convergence_delta: null },
  input_region: { x: 0, y: 0, width: 128, height: 128 },
  image: { width: 128, height: 128 },
  device: 'cpu',
  milliseconds: { decode: 1, compute: 2, render: 3 },
  warnings: [],
});

/** What the worker says of a prediction. */
export const predicted = (
  job: Job,
): Omit<Extract<Report, { status: 'succeeded' }>, 'attempt' | 'lease' | 'nonce'> => ({
  status: 'succeeded',
  result: {
    ...resultOf(job),
    predictions: [
      circle,
      { ...circle, class_index: 4, label: 'star', label_zh: '星', probability: 0.25, score: 2.4 },
    ],
    attribution: null,
  },
  artifacts: [],
});

export const success = (
  job: Job,
): Omit<Extract<Report, { status: 'succeeded' }>, 'attempt' | 'lease' | 'nonce'> => ({
  status: 'succeeded',
  result: resultOf(job),
  artifacts: artifactNames.map((name) => ({
    name,
    object: prefixOf(job) + name,
    sha256: '0'.repeat(64),
    bytes: 3,
    content_type: name.endsWith('png') ? 'image/png' : 'application/octet-stream',
  })),
});
