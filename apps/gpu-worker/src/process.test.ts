import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { shapesModel } from '@whylight/host';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startLocalStore } from './testing/local-store.ts';

const settings: Record<string, string> = {
  PORT: '0',
  WORKER_SECRET: 'a secret that only gateway and worker know',
  MODELS: `shapes=${join(shapesModel, 'shapes.onnx')}`,
};

let store: Awaited<ReturnType<typeof startLocalStore>>;
beforeAll(async () => {
  store = await startLocalStore();
  Object.assign(settings, {
    S3_ENDPOINT: store.endpoint,
    S3_BUCKET: store.bucket,
    S3_ACCESS_KEY_ID: store.accessKeyId,
    S3_SECRET_ACCESS_KEY: store.secretAccessKey,
  });
});
afterAll(() => store.stop());

let child: ChildProcess | undefined;
afterEach(() => void child?.kill('SIGKILL'));

function start(env: Record<string, string>) {
  const script = fileURLToPath(new URL('./index.ts', import.meta.url));
  const started = spawn(process.execPath, [script], { env: { PATH: process.env.PATH, ...env } });
  child = started;
  const output = { stdout: '', stderr: '' };
  started.stdout.on('data', (chunk) => {
    output.stdout += chunk;
  });
  started.stderr.on('data', (chunk) => {
    output.stderr += chunk;
  });
  const ended = new Promise<number | null>((resolve) => started.on('close', (code) => resolve(code)));
  return { started, output, ended };
}

const events = (stdout: string) =>
  stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));

test('the process says where it listens, in JSON lines, and ends with 0 on SIGTERM', async () => {
  const { started, output, ended } = start(settings);
  await expect.poll(() => output.stdout, { timeout: 50_000 }).toContain('worker_ready');
  const [listening] = events(output.stdout);
  expect((await fetch(`${listening.url}/readyz`)).status).toBe(200);
  started.kill('SIGTERM');
  expect(await ended).toBe(0);
  expect(events(output.stdout).map(({ event }) => event)).toEqual([
    'worker_listening',
    'worker_ready',
    'worker_draining',
    'worker_stopped',
  ]);
  expect(output.stderr).toBe('');
});

test('wrong settings end it with 2 and one sentence', async () => {
  const { output, ended } = start({ ...settings, CONCURRENCY: 'many' });
  expect(await ended).toBe(2);
  expect(output.stderr).toMatch(/^environment: CONCURRENCY: [^\n]+\n$/);
});

test('L13: a store that refuses it keeps it from being ready, with the reason; it ends all the same', async () => {
  const { started, output, ended } = start({ ...settings, S3_SECRET_ACCESS_KEY: 'another secret' });
  await expect.poll(() => output.stdout, { timeout: 50_000 }).toContain('store_not_usable');
  const [{ url }] = events(output.stdout);
  const reason = expect.stringContaining('Set S3_SECRET_ACCESS_KEY');
  expect(await (await fetch(`${url}/health`)).json()).toEqual({ status: 'starting', reason });
  const ready = await fetch(`${url}/readyz`);
  expect([ready.status, await ready.text()]).toEqual([
    503,
    expect.stringMatching(/^not ready: The object store /),
  ]);
  expect((await fetch(`${url}/livez`)).status).toBe(200);
  started.kill('SIGTERM');
  expect(await ended).toBe(0);
  expect(events(output.stdout).map(({ event }) => event)).toEqual([
    'worker_listening',
    'store_not_usable',
    'worker_stopped',
  ]);
  expect(output.stdout).not.toContain('another secret');
});
