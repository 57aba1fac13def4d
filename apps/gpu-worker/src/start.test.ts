import { join } from 'node:path';
import { sign, workerPaths } from '@whylight/contract';
import { createRuntime, DeviceError, shapesModel } from '@whylight/host';
import { afterEach, describe, expect, test } from 'vitest';
import { parseEnv } from './env.ts';
import type { StoreProblem } from './storage/storage.ts';
import { jobFor } from './testing/job.ts';
import { createWorld, disc, MemoryStorage, secret, type World } from './testing/world.ts';
import { startWorker } from './worker.ts';

const env = parseEnv({
  PORT: '0',
  WORKER_SECRET: secret,
  CHECK_SECONDS: '0',
  MODELS: `shapes=${join(shapesModel, 'shapes.onnx')}`,
  S3_ENDPOINT: 'http://127.0.0.1:9',
  S3_BUCKET: 'unused',
  S3_ACCESS_KEY_ID: 'unused',
  S3_SECRET_ACCESS_KEY: 'unused',
});

let world: World;

/** Where it is, no provider is missing that a test could ask for. */
const cudaIsHere = await createRuntime({ ep: 'cuda' }).then(
  () => true,
  () => false,
);

const failed = async (reason: RegExp) => {
  expect(await world.health()).toEqual({ status: 'failed', reason: expect.stringMatching(reason) });
  expect((await fetch(`${world.worker.url}/livez`)).status).toBe(503);
  expect((await world.call('GET', '/v1/models')).status).toBe(503);
};

describe('a worker', () => {
  afterEach(() => world.close());

  test('F12: a device on which nothing runs is not ready', async () => {
    world = await createWorld({}, undefined, () => Promise.reject(new DeviceError('no warm-up')));
    expect(await world.health()).toEqual({ status: 'failed', reason: 'no warm-up' });
    expect((await fetch(`${world.worker.url}/readyz`)).status).toBe(503);
  });

  test('with a model file that is not there has failed, and says why', async () => {
    world = await createWorld({ MODELS: [{ name: 'm', path: '/nowhere/m.onnx' }] });
    await failed(/^model file m\.onnx: not found; give the path of an \.onnx file$/);
  });

  test.skipIf(cudaIsHere)('F3: with a provider that is not here has failed, and says why', async () => {
    world = await createWorld({ EXECUTION_PROVIDER: 'cuda' });
    await failed(/^execution provider cuda is not available: /);
  });

  test.skipIf(cudaIsHere)('falls back to the CPU only when told to, and reports it everywhere', async () => {
    world = await createWorld({ EXECUTION_PROVIDER: 'cuda', PROVIDER_FALLBACK: true });
    const device = expect.stringMatching(/^cpu \(fallback from cuda: /);
    expect((await world.health()).device).toEqual(device);
    expect((await world.catalog()).device).toEqual(device);
    await world.post(await world.prepared(await disc()));
    expect(await world.ending()).toMatchObject({ result: { device } });
  });
});

test('L13: a worker takes no job and draws nothing until the store works, and says what it lacks', {
  timeout: 300_000,
}, async () => {
  const reason = 'Set S3_REGION=eu-west-1.';
  let problem: StoreProblem | null = { reason, isAnswered: true };
  let tries = 0;
  const findProblem = async () => {
    tries++;
    return problem;
  };
  const storage = Object.assign(new MemoryStorage(), { findProblem });
  const worker = await startWorker(env, () => {}, storage);
  const health = async () => (await fetch(`${worker.url}/health`)).json();
  const post = async (path: string, body: string) => {
    const call = { direction: 'gateway-to-worker', method: 'POST', path, body } as const;
    const headers = await sign(secret, call, Date.now() / 1000);
    return (await fetch(worker.url + path, { method: 'POST', headers, body })).status;
  };
  try {
    await expect.poll(health, { timeout: 120_000 }).toEqual({ status: 'starting', reason });
    // Its models have been loaded by then.
    await expect.poll(() => tries, { timeout: 120_000 }).toBeGreaterThan(5);
    const ready = await fetch(`${worker.url}/readyz`);
    expect([ready.status, await ready.text()]).toEqual([503, `not ready: ${reason}`]);
    expect((await fetch(`${worker.url}/livez`)).status).toBe(200);
    expect(await post(workerPaths.jobs, JSON.stringify(jobFor()))).toBe(503);
    expect(await post(workerPaths.renderings, '{}')).toBe(503);
    problem = null;
    await worker.started;
    expect(await health()).toMatchObject({ status: 'ready' });
    // It now looks at the bodies.
    expect(await post(workerPaths.renderings, '{}')).toBe(400);
  } finally {
    await worker.stop();
  }
});

test('L13: a worker that waits for the store stops at once when it is told to', {
  timeout: 300_000,
}, async () => {
  const storage = Object.assign(new MemoryStorage(), {
    findProblem: async () => ({ reason: 'Gone.', isAnswered: false }),
  });
  const events: string[] = [];
  const worker = await startWorker(env, (event) => events.push(event), storage);
  await worker.stop();
  expect(events.filter((event) => event !== 'store_not_usable')).toEqual([
    'worker_listening',
    'worker_stopped',
  ]);
});
