import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { serve } from '../commands/serve.ts';
import { settingsFile } from './gateway/home.ts';
import { homeIn, writeSettings } from './settings.ts';

const place = { url: 'http://127.0.0.1:1', storeUrl: 'http://127.0.0.1:2', workerUrl: 'http://127.0.0.1:3' };
const secrets = {
  operatorKey: 'operator',
  workerSecret: 'worker',
  webhookSecret: 'webhook',
  s3AccessKeyId: 'id',
  s3SecretAccessKey: 'secret',
  tenant: null,
  apiKey: null,
};

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'whylight-settings-'));
});
afterAll(() => rm(directory, { recursive: true }));

const written = async (corsOrigins: string[]): Promise<string[]> => {
  await writeSettings(directory, secrets, { ...place, corsOrigins });
  return (await readFile(join(homeIn(directory), settingsFile), 'utf8')).split('\n');
};

test('A15: no page may call the service unless its origin is named', async () => {
  expect(await written([])).toContain('CORS_ORIGINS=');
  expect(await written(['http://a.example', 'http://localhost:5173'])).toContain(
    'CORS_ORIGINS=http://a.example http://localhost:5173',
  );
});

test('L11: the object store is on an origin of its own', async () => {
  const lines = await written([]);
  expect(lines).toContain('PUBLIC_URL=http://127.0.0.1:1');
  expect(lines).toContain('S3_ENDPOINT=http://127.0.0.1:2/cdn-cgi/local/r2/s3');
});

test.each(['*', 'null', 'app.example', 'http://a.example/', 'http://a.example/page'])(
  'A15: serve takes no %s for an origin',
  (origin) => {
    serve.exitOverride().configureOutput({ writeErr: () => {} });
    expect(() => serve.parse(['--cors-origin', origin], { from: 'user' })).toThrow(/Expected an origin/);
  },
);
