import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { shapesModel } from '@whylight/host';
import { afterEach, expect, test } from 'vitest';

const settings = {
  PORT: '0',
  WORKER_SECRET: 'a secret that only gateway and worker know',
  S3_ENDPOINT: 'http://127.0.0.1:9',
  S3_BUCKET: 'unused',
  MODELS: `shapes=${join(shapesModel, 'shapes.onnx')}`,
  S3_ACCESS_KEY_ID: 'unused',
  S3_SECRET_ACCESS_KEY: 'unused',
};

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
  await expect.poll(() => output.stdout, { timeout: 20_000 }).toContain('worker_ready');
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
