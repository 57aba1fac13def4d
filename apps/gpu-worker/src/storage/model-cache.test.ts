import { mkdtemp, readdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { fetchModels } from './model-cache.ts';
import { createS3Client } from './s3-client.ts';

const credentials = { accessKeyId: 'local', secretAccessKey: 'local-secret' };
let miniflare: Miniflare;
let endpoint: string;
let client: S3Client;
let folder: string;

const settings = () => ({
  ...credentials,
  endpoint,
  region: 'auto',
  bucket: 'models',
  style: 'path' as const,
});

beforeAll(async () => {
  miniflare = new Miniflare(
    convertV4MiniflareOptions({
      cf: false,
      modules: true,
      script: 'export default { fetch: () => new Response() }',
      compatibilityDate: '2026-11-01',
      host: '127.0.0.1',
      r2Buckets: { BUCKET: { id: 'models', s3Credentials: credentials } },
    }),
  );
  endpoint = new URL('/cdn-cgi/local/r2/s3', await miniflare.ready).href;
  client = createS3Client(settings());
});
afterAll(async () => {
  client.destroy();
  await miniflare.dispose();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whylight-model-cache-'));
  await put('pets/pets.onnx', 'network 1');
  await put('pets/pets.json', '{}');
  await put('pets/earlier/pets.onnx', 'another network');
});
afterEach(() => rm(folder, { recursive: true }));

async function put(key: string, text: string): Promise<void> {
  await (await miniflare.getR2Bucket('BUCKET')).put(key, text);
}
const cache = (limit = 1e6) => ({ client, bucket: 'models', folder, limit, storeUsable: Promise.resolve() });
const pets = { name: 'pets', path: 's3:pets' };

test('a model in the bucket comes with the files beside it, and only with those', async () => {
  const [fetched, other] = await fetchModels([pets, { name: 'own', path: '/models/own.onnx' }], cache());
  expect(other).toEqual({ name: 'own', path: '/models/own.onnx' });
  expect(fetched?.name).toBe('pets');
  expect(await readFile(fetched!.path, 'utf8')).toBe('network 1');
  expect((await readdir(join(fetched!.path, '..'))).sort()).toEqual(['pets.json', 'pets.onnx']);
});

test.each(['s3:pets/', 's3://pets', 's3://pets/'])('%s is the same folder', async (path) => {
  const [fetched] = await fetchModels([{ name: 'pets', path }], cache());
  expect(await readFile(fetched!.path, 'utf8')).toBe('network 1');
});

test('what has not changed is not fetched again', async () => {
  const [first] = await fetchModels([pets], cache());
  await utimes(first!.path, 1, 1);
  const [second] = await fetchModels([pets], cache());
  expect(second).toEqual(first);
  expect((await stat(second!.path)).mtimeMs).toBe(1000);
});

test('a changed model replaces the one before', async () => {
  const [before] = await fetchModels([pets], cache());
  await put('pets/pets.onnx', 'network 2');
  const [after] = await fetchModels([pets], cache());
  expect(await readFile(after!.path, 'utf8')).toBe('network 2');
  expect(after!.path).not.toBe(before!.path);
  expect(await readdir(folder)).toHaveLength(1);
});

test('models that are larger than the cache are refused before anything is fetched', async () => {
  await expect(fetchModels([pets], cache(5))).rejects.toThrow(
    /the models in the bucket have 1 MB, and MODEL_CACHE_MB/,
  );
  expect(await readdir(folder)).toEqual([]);
});

test('a folder without a model, or with two, is refused with its name', async () => {
  await expect(fetchModels([{ name: 'cats', path: 's3:cats' }], cache())).rejects.toThrow(
    'MODELS: cats: expected one .onnx file below s3:cats/, found 0',
  );
  await put('two/a.onnx', 'a');
  await put('two/b.onnx', 'b');
  await expect(fetchModels([{ name: 'two', path: 's3:two' }], cache())).rejects.toThrow(/found 2/);
});

test('a store that refuses says which settings to check, and no key', async () => {
  const wrong = createS3Client({ ...settings(), secretAccessKey: 'wrong-secret' });
  const error = await fetchModels([pets], { ...cache(), client: wrong }).catch((thrown: unknown) => thrown);
  expect(String(error)).toMatch(/bucket models cannot be fetched \(\w+\); check S3_ENDPOINT, S3_REGION/);
  expect(String(error)).not.toMatch(/secret|local/);
  wrong.destroy();
});
