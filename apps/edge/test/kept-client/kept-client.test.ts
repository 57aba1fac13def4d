import { type Job, sha256Hex } from '@whylight/contract';
import { expect, test, vi } from 'vitest';
import { operationFor } from '../documented.ts';
import {
  bindings,
  call,
  jobsTaken,
  newTenant,
  photo,
  predicted,
  prefixOf,
  report,
  success,
  write,
} from '../gateway.ts';
// @ts-expect-error the kept client is JavaScript
import * as kept from './generated/whylight-client.js';
import { grown, ofTomorrow } from './grown.ts';

const { AnswerError, ExplanationError, ProblemError, successOf, WhylightClient } = kept;

/** How many answers have grown. */
let count = 0;

/** The gateway of today, whose answers have grown as the document says that they may; the store answers as it is. */
async function fetchTomorrow(input: URL | string, init: RequestInit = {}): Promise<Response> {
  const url = new URL(input);
  if (url.host !== 'gateway.test') return fetch(url, init);
  const method = init.method ?? 'GET';
  const { status, headers, text } = await call(method, url.pathname + url.search, {
    headers: Object.fromEntries(new Headers(init.headers)),
    ...(init.body === undefined ? {} : { body: init.body as string }),
  });
  const content = operationFor(method, url.pathname)!.responses[status]!.content ?? {};
  const [schema] = Object.values(content).map((one) => one.schema);
  if (text === '' || !schema) return new Response(text === '' ? null : text, { status, headers });
  count++;
  return new Response(JSON.stringify(grown(JSON.parse(text), schema)), { status, headers });
}

/** The job about that photo that asks for its classes, once the worker has it. */
async function predictionJob(bytes: Uint8Array<ArrayBuffer>): Promise<Job | undefined> {
  const url = `${bindings.WORKER_URL}/taken?image=${await sha256Hex(bytes)}`;
  const jobs = (await (await fetch(url)).json()) as Job[];
  return jobs.find(({ question }) => question.method === 'prediction');
}

async function all(items: AsyncIterable<unknown>): Promise<unknown[]> {
  const found = [];
  for await (const item of items) found.push(item);
  return found;
}

test('L16: the client of the last release goes on when answers have more members and other values', async () => {
  const { key } = await newTenant();
  const client = new WhylightClient({ url: 'http://gateway.test', apiKey: key, fetch: fetchTomorrow });
  const bytes = photo();
  const upload = await client.upload(bytes, 'image/png');
  expect(upload).not.toHaveProperty(ofTomorrow);

  const request = { input: { upload: upload.id }, method: 'grad-cam', target: { class_index: 0 } };
  const { explanation, cacheStatus } = await client.create(request);
  expect([explanation.status, explanation.cache.status, explanation.target.type]).toEqual([
    ...['queued', ofTomorrow, ofTomorrow],
  ]);
  expect(cacheStatus).toMatch(/^whylight; fwd=miss/);
  const [job] = await jobsTaken(explanation.cache.key.slice('sha256:'.length));
  await write(`${prefixOf(job!)}overlay.png`, 'a picture');
  const done = success(job!);
  const warnings = [{ code: 'a_new_warning', message: 'It is new.' }];
  await report(job!, { ...done, result: { ...done.result, warnings } });
  const ended = successOf(await client.ended(explanation));
  expect(ended).toMatchObject({ convention: ofTomorrow, task: ofTomorrow, warnings });
  expect(ended.predictions[0].label).toBe('circle');
  const { overlay } = ended.attributions[0].artifacts;
  expect(overlay.name).toBe(ofTomorrow);
  expect(new TextDecoder().decode(await client.download(overlay))).toBe('a picture');
  const rendering = await client.render(explanation.id, { visualization: { color_map: 'viridis' } });
  expect(rendering.visualization.color_map).toBe(ofTomorrow);

  const failing = (await client.create({ ...request, method: 'saliency' })).explanation;
  const [other] = await jobsTaken(failing.cache.key.slice('sha256:'.length));
  const error = { code: 'gpu_out_of_memory', message: 'No room.', retryable: false };
  await report(other!, { status: 'failed', error });
  const failed = await client.ended(failing);
  expect(() => successOf(failed)).toThrow(ExplanationError);
  expect(failed.error).toEqual({ ...error, code: ofTomorrow });

  const asked = client.predict({ input: { upload: upload.id } });
  const predicting = await vi.waitFor(
    async () => {
      const found = await predictionJob(bytes);
      expect(found).toBeDefined();
      return found!;
    },
    { timeout: 20_000, interval: 25 },
  );
  await report(predicting, predicted(predicting));
  expect((await asked).cache.status).toBe(ofTomorrow);

  expect((await all(client.explanations())).length).toBe(2);
  expect((await client.models()).map(({ name }: { name: string }) => name)).toEqual(['shapes', 'odd']);
  expect((await client.methods()).length).toBeGreaterThan(10);
  expect((await all(client.keys())).length).toBe(1);
  expect((await client.usage()).length).toBe(1);
  await client.limits();
  await all(client.auditEvents());
  const batch = await client.batches.create([request]);
  expect(batch.items).toHaveLength(1);
  const refused = await client.explanation('exp_0').catch((thrown: unknown) => thrown);
  expect(refused).toBeInstanceOf(ProblemError);
  expect(refused).toMatchObject({ code: ofTomorrow, status: 404, retryable: false });
  expect(count).toBeGreaterThan(15);
});

test('L16: what may not change without a new version is an error that says what the client got', async () => {
  const { key } = await newTenant();
  const client = new WhylightClient({
    ...{ url: 'http://gateway.test', apiKey: key },
    fetch: async () => Response.json({ object: 'list', data: 'none', has_more: false, next_cursor: null }),
  });
  const error = await client.models().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(AnswerError);
  expect(error).toMatchObject({ pointer: '/data', expected: 'array', got: '"none"', retryable: false });
});
