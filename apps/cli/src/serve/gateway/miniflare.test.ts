import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AwsClient } from 'aws4fetch';
import { convertV4MiniflareOptions, Miniflare, R2_S3_SERVICE_NAME } from 'miniflare';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BundledGateway } from './bundled-gateway.ts';
import { migratingWorkers, servedWorkers } from './options.ts';

/**
 * These tests pin the parts of Miniflare that its makers do not promise to keep. When a new version fails here, read
 * docs/decisions/0021-serve-runs-on-miniflare.md before you change anything.
 */
const json = async (path: string) =>
  JSON.parse(await readFile(new URL(`../../../../../${path}`, import.meta.url), 'utf8'));

describe('the version of Miniflare', () => {
  test('is the one that wrangler brings, exact, in every workspace', async () => {
    const lock = await json('package-lock.json');
    const { version } = lock.packages['node_modules/miniflare'];
    expect(lock.packages['node_modules/wrangler'].dependencies.miniflare).toBe(version);
    const asked = Object.entries<{
      dependencies?: Record<string, string>;
      devDependencies?: Record<string, string>;
    }>(lock.packages).flatMap(([path, { dependencies, devDependencies }]) => {
      const wanted = dependencies?.miniflare ?? devDependencies?.miniflare;
      return path.startsWith('node_modules/') || wanted === undefined ? [] : [[path, wanted]];
    });
    expect(asked).toEqual(['', 'apps/cli', 'apps/edge', 'apps/gpu-worker'].map((path) => [path, version]));
  });

  test('is there once, with one workerd', async () => {
    const paths = Object.keys((await json('package-lock.json')).packages);
    for (const name of ['miniflare', 'workerd'])
      expect(paths.filter((path) => path.endsWith(`node_modules/${name}`))).toEqual([`node_modules/${name}`]);
  });
});

describe('the options of Miniflare', () => {
  let bundle: string;
  beforeAll(async () => {
    bundle = await mkdtemp(join(tmpdir(), 'whylight-bundle-'));
    const gateway: BundledGateway = {
      name: 'whylight',
      options: {
        d1Databases: { DB: { id: 'local' } },
        durableObjects: {
          LETTER: { className: 'B', useSQLite: true, unsafeUniqueKey: 'whylight-A' },
        },
        r2Buckets: { BUCKET: { id: 'whylight' } },
        assets: { binding: 'ASSETS', directory: bundle },
      },
      migrations: [],
    };
    await writeFile(join(bundle, 'gateway.json'), JSON.stringify(gateway));
    for (const name of ['gateway', 'front', 'store-front', 'migrations'])
      await writeFile(join(bundle, `${name}.js`), 'export default {};');
  });
  afterAll(() => rm(bundle, { recursive: true }));

  // Names that it does not know it drops without a word.
  test('are known to it by the names that we give', async () => {
    const settings = {
      S3_ACCESS_KEY_ID: 'id',
      S3_SECRET_ACCESS_KEY: 'secret',
      PUBLIC_URL: 'http://127.0.0.1:1',
      CORS_ORIGINS: 'http://a.example',
    };
    const restarted = () => {};
    const { workers, ...shared } = convertV4MiniflareOptions({
      workers: await servedWorkers({ bundle, settings, port: 8787, storePort: 8788 }),
      resourcePersistencePath: '/state/v3',
      host: '127.0.0.1',
      cf: false,
      logRequests: false,
      unsafeHandleRuntimeRestart: restarted,
    });
    expect(shared).toMatchObject({
      resourcePersistencePath: '/state/v3',
      host: '127.0.0.1',
      cf: false,
      logRequests: false,
      unsafeHandleRuntimeRestart: restarted,
      enableDevRegistry: false,
    });
    for (const option of [
      'inspectorPort',
      'unsafeLocalExplorer',
      'unsafeTriggerHandlers',
      'unsafeObservability',
      'port',
    ])
      expect((shared as Record<string, unknown>)[option], option).toBeUndefined();
    const [front, storeFront, gateway] = workers;
    expect(front).toMatchObject({
      config: {
        name: 'front',
        env: {
          GATEWAY: { type: 'worker', worker: 'whylight' },
          SOCKET: { type: 'unsafe:front-socket', dev: { options: { port: 8787, store: false } } },
        },
      },
    });
    expect(storeFront).toMatchObject({
      config: {
        name: 'store-front',
        env: {
          ORIGINS: {
            type: 'text',
            value: 'http://127.0.0.1:8787 http://localhost:8787 http://a.example',
          },
          STORE: { type: 'unsafe:front-socket', dev: { options: { port: 8788, store: true } } },
        },
      },
    });
    expect(gateway).toMatchObject({
      config: {
        name: 'whylight',
        env: {
          DB: { type: 'd1', id: 'local' },
          LETTER: { type: 'durable-object', exportName: 'B' },
          PUBLIC_URL: { type: 'text', value: 'http://127.0.0.1:1' },
          ASSETS: { type: 'disk', path: bundle, writable: false },
          BUCKET: {
            type: 'r2',
            name: 'whylight',
            dev: { experimentalS3Credentials: { accessKeyId: 'id', secretAccessKey: 'secret' } },
          },
        },
        exports: { B: { storage: 'sqlite', unsafeUniqueKey: 'whylight-A' } },
      },
    });
  });

  test('of the worker that migrates are a database and nothing else', async () => {
    const { workers } = convertV4MiniflareOptions({ workers: await migratingWorkers(bundle) });
    expect(workers.map(({ config }) => [config.name, Object.keys(config.env ?? {})])).toEqual([
      ['migrations', ['DB']],
    ]);
  });
});

describe('the S3 endpoint of Miniflare', () => {
  const credentials = { accessKeyId: 'id', secretAccessKey: 'secret' };
  const client = new AwsClient({ ...credentials, service: 's3', region: 'auto', retries: 0 });
  let miniflare: Miniflare;
  let photos: string;
  beforeAll(async () => {
    miniflare = new Miniflare(
      convertV4MiniflareOptions({
        cf: false,
        modules: true,
        script: 'export default { fetch: () => new Response(null, { status: 404 }) }',
        compatibilityDate: '2026-11-01',
        r2Buckets: { BUCKET: { id: 'photos', s3Credentials: credentials } },
      }),
    );
    photos = new URL('/cdn-cgi/local/r2/s3/photos', await miniflare.ready).href;
    expect((await client.fetch(`${photos}/a`, { method: 'PUT', body: 'abc' })).status).toBe(200);
  });
  afterAll(() => miniflare.dispose());

  const signed = async (method: string, headers: Record<string, string>, seconds = 300, client_ = client) => {
    const url = `${photos}/b?X-Amz-Expires=${seconds}`;
    const { url: made } = await client_.sign(new Request(url, { method, headers }), {
      aws: { signQuery: true, allHeaders: true },
    });
    return made;
  };

  test('is at the path that signed URLs have, and a service of the name that the front is bound to', async () => {
    expect(R2_S3_SERVICE_NAME).toBe('r2:s3');
    expect(await (await client.fetch(`${photos}/a`)).text()).toBe('abc');
  });

  test('refuses what is not signed, signed with another key, changed, or too old', async () => {
    expect((await fetch(`${photos}/a`)).status).toBe(400);
    const stranger = new AwsClient({
      ...credentials,
      secretAccessKey: 'other',
      service: 's3',
      region: 'auto',
    });
    for (const url of [
      await signed('PUT', {}, 300, stranger),
      (await signed('PUT', {})).replace('/b?', '/c?'),
      `${await signed('PUT', {})}&more=1`,
      `${await signed('PUT', {})}&X-Amz-SignedHeaders=host`,
    ])
      expect((await fetch(url, { method: 'PUT', body: 'x' })).status, url).toBe(403);
    const old = (await signed('PUT', {}, 1)).replace(/X-Amz-Date=\d{8}/, 'X-Amz-Date=20200101');
    expect((await fetch(old, { method: 'PUT', body: 'x' })).status).toBe(400);
  });

  test('holds a client to the headers that are signed, and overwrites nothing where that is one of them', async () => {
    const headers = { 'content-type': 'image/png', 'if-none-match': '*' };
    const url = await signed('PUT', headers);
    const put = (more: Record<string, string>) =>
      fetch(url, { method: 'PUT', headers: { ...headers, ...more }, body: 'x' });
    expect((await put({ 'content-type': 'text/html' })).status).toBe(403);
    expect((await put({})).status).toBe(200);
    expect((await put({})).status).toBe(412);
  });

  test('obeys headers that are not signed: this is why the front refuses them', async () => {
    const url = await signed('PUT', {});
    const copied = await fetch(url, { method: 'PUT', headers: { 'x-amz-copy-source': '/photos/a' } });
    expect([copied.status, await copied.text()]).toEqual([200, expect.stringContaining('CopyObjectResult')]);
  });

  test('serves objects without a key on another path: this is why Miniflare’s entry has no port in serve', async () => {
    const open = await fetch(new URL('/cdn-cgi/local/r2/public/photos/a', photos));
    expect([open.status, await open.text()]).toEqual([200, 'abc']);
  });
});
