import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WhylightClient } from '@whylight/client';
import { presencePath } from '@whylight/contract';
import { colourNetwork } from '@whylight/host/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { drawing } from '../service/pictures.ts';
import { SeveralWorkers } from './several-workers.ts';
import type { WorkerProcess } from './worker-process.ts';

const shapes = fileURLToPath(new URL('../../models/shapes/shapes.onnx', import.meta.url));
const secret = 'the secret that replaces the other one';
const older = 'the secret that is being replaced, yet valid';

let folder: string;
let service: SeveralWorkers;
let updated: WorkerProcess;
let mistimed: WorkerProcess;
let outdated: WorkerProcess;
let waiting: WorkerProcess;

// One worker has the new models, one the old ones and signs with the older secret, which is still valid. Of the others one has a
// wrong clock, and one a secret that is not valid any more.
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whylight-bad-workers-'));
  const extra = join(folder, 'extra.onnx');
  await writeFile(extra, colourNetwork());
  const valid = { WORKER_SECRET: secret, WORKER_SECRET_PREVIOUS: older };
  service = await SeveralWorkers.start({
    doubled: false,
    gateway: valid,
    workers: [
      { ...valid, MODELS: `shapes=${shapes},extra=${extra}` },
      { ...valid, MODELS: `shapes=${shapes}`, CLOCK_AHEAD_SECONDS: '1200' },
      { WORKER_SECRET: 'a secret of long ago', MODELS: `shapes=${shapes}`, GATEWAY_URL: 'true' },
      { WORKER_SECRET: older, WORKER_SECRET_PREVIOUS: secret, MODELS: `shapes=${shapes}` },
    ],
  });
  [updated, mistimed, outdated, waiting] = service.workers as [
    WorkerProcess,
    WorkerProcess,
    WorkerProcess,
    WorkerProcess,
  ];
});
afterAll(async () => {
  await service?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function newcomer(name: string) {
  const { key } = await service.newTenant(name);
  const client = new WhylightClient({ url: service.url, apiKey: key.secret });
  const call = <T>(method: string, path: string, body?: object) =>
    service.call<T>(method, path, key.secret, body);
  const photo = async (seed: number) => (await client.upload((await drawing(seed)).png, 'image/png')).id;
  const explain = async (seed: number, model: string) =>
    (await client.explain({ input: { upload: await photo(seed) }, method: 'grad-cam', model })).explanation;
  return { client, call, photo, explain };
}

/** The workers in which a line of this event has these members. */
const workersWith = (event: string, members: object): WorkerProcess[] =>
  service.workers.filter((worker) =>
    worker
      .linesOf(event)
      .some((line) => Object.entries(members).every(([name, value]) => line[name] === value)),
  );

const patience = { timeout: 90_000, interval: 200 };

test('L6: the workers that cannot serve are not ready, and say why in words; without a setting they learn the gateway', async () => {
  const { call } = await newcomer('readiness');
  const clock = /^not ready: the clock is 1,\d{3} s ahead of the gateway's: set the time by NTP$/;
  await expect
    .poll(async () => {
      await call('GET', '/v1/models');
      return mistimed.readiness();
    }, patience)
    .toEqual([false, expect.stringMatching(clock)]);
  await expect
    .poll(() => outdated.readiness(), patience)
    .toEqual([false, expect.stringMatching(/^not ready: .* set the same WORKER_SECRET on both sides$/)]);
  expect([await updated.readiness(), await waiting.readiness()]).toEqual([
    [true, 'ok'],
    [true, 'ok'],
  ]);
});

test('L6: no job fails, whichever worker it meets first, and those workers claim none', async () => {
  const { explain } = await newcomer('jobs');
  const ended = await Promise.all(Array.from({ length: 12 }, (_, seed) => explain(seed, 'shapes')));
  expect(ended.map(({ status, error }) => [status, error])).toEqual(Array(12).fill(['succeeded', null]));
  expect([mistimed, outdated].map((worker) => worker.linesOf('job_claimed'))).toEqual([[], []]);
  for (const worker of [mistimed, outdated]) expect(worker.linesOf('call_refused').length).toBeGreaterThan(0);
  // The worker that signs with the older secret has had its part.
  expect(waiting.linesOf('job_succeeded').length).toBeGreaterThan(0);
  const written = service.workers
    .flatMap(({ lines }) => lines.map((line) => JSON.stringify(line)))
    .join('\n');
  expect(written).not.toMatch(new RegExp(`${secret}|${older}`));
  for (const { lines } of service.workers)
    expect(new Set(lines.map(({ worker }) => worker)).size, 'every line names the worker').toBe(1);
});

test('L6: a model that some workers have is shown as updating, and its jobs go to a worker that has it', async () => {
  const { call, explain } = await newcomer('rollout');
  type List = { data: { id: string; status: string }[] };
  const statuses = async () =>
    Object.fromEntries((await call<List>('GET', '/v1/models')).data.map(({ id, status }) => [id, status]));
  await expect.poll(statuses, patience).toEqual({ shapes: 'ready', extra: 'updating' });
  const before = waiting.linesOf('job_refused').length;
  const ended = await Promise.all(Array.from({ length: 6 }, (_, seed) => explain(50 + seed, 'extra')));
  expect(ended.map(({ status, error }) => [status, error])).toEqual(Array(6).fill(['succeeded', null]));
  expect(waiting.linesOf('job_refused').length).toBeGreaterThan(before);
});

test('L7: a cancel reaches the worker that has the claim, by the report that it has under way or its next, and no other', async () => {
  const { call, photo } = await newcomer('cancel');
  for (const seed of [70, 71, 72]) {
    const asked = {
      ...{ input: { upload: await photo(seed) }, method: 'integrated-gradients', model: 'shapes' },
      parameters: { n_steps: 1000 },
    };
    type Made = { id: string; status: string; cache: { key: string } };
    const made = await call<Made>('POST', '/v1/explanations', asked);
    const key = made.cache.key.slice('sha256:'.length);
    await expect.poll(() => workersWith('job_started', { key }).length, patience).toBe(1);
    const holder = workersWith('job_claimed', { key });
    const id = service.workers.indexOf(holder[0]!);
    let reports = 0;
    service.onCall = (said, pass) => {
      if (said.path === presencePath && JSON.parse(said.body.toString()).worker === `w${id}`) reports++;
      return pass();
    };
    await call('POST', `/v1/explanations/${made.id}/cancel`);
    await expect.poll(() => workersWith('job_dropped', { key }), patience).toEqual(holder);
    service.onCall = (_, pass) => pass();
    // The one that acknowledges the order may be under way already, and one more may have come before the order.
    expect(reports).toBeLessThanOrEqual(2);
    await expect.poll(() => workersWith('job_abandoned', { key }), patience).toEqual(holder);
    expect(workersWith('job_succeeded', { key })).toEqual([]);
  }
});

test('L7: a model is warm in every ready worker, and in no other', async () => {
  const { client } = await newcomer('warm');
  const pushed = await client.ownModels.push(new Uint8Array(colourNetwork()), { name: 'mine' });
  expect(pushed).toMatchObject({ status: 'ready', error: null });
  await client.ownModels.warm(pushed.id);
  await expect
    .poll(() => workersWith('model_warm', { model: pushed.id }), patience)
    .toEqual([updated, waiting]);
});
