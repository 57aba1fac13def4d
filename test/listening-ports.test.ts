import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { wholeDocument } from './api-document/document.ts';
import { type Listener, listenersOf } from './service/listeners.ts';
import { drawing } from './service/pictures.ts';
import { type Answer, type Probe, probe, statusOf, type Target, webSocketHeaders } from './service/probe.ts';
import { RunningService } from './service/running-service.ts';

let service: RunningService;
let listeners: Listener[];
/** A photo in the store, as `bucket/object`: nobody may read it without a signature. */
let object: string;

beforeAll(async () => {
  service = await RunningService.start();
  const { png } = await drawing(31);
  const announced = await service.client.upload(png, 'image/png');
  object = new URL(announced.upload!.url).pathname.replace('/cdn-cgi/local/r2/s3/', '');
  listeners = await listenersOf(await service.descendants());
});
afterAll(() => service?.remove());

const tcp = () => listeners.filter(({ address }) => /:\d+$/.test(address));
const targetOf = (url: string): Target => {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
};
const roleOf = (address: string): string => {
  const { url, store_url, worker_url } = service.ready;
  if (`http://${address}` === url) return 'gateway';
  if (`http://${address}` === store_url) return 'store';
  return `http://${address}` === worker_url ? 'worker' : 'other';
};

/** What a development server, an inspector, Miniflare or a careless worker may have open. */
const paths = () => [
  ...[
    '/',
    '/json',
    '/json/list',
    '/json/version',
    '/json/protocol',
    '/ws',
    '/inspector',
    '/debug',
    '/status',
  ],
  ...['explorer', 'explorer/', 'explorer/api', 'explorer/api/d1/database', 'explorer/api/r2/buckets'].flatMap(
    (rest) => [`/cdn-cgi/${rest}`, `/cdn-cgi/local/${rest}`],
  ),
  '/cdn-cgi/local/explorer/api/r2/buckets/whylight/objects',
  '/cdn-cgi/local/explorer/api/d1/database/local/raw',
  ...['scheduled', 'email', 'queue', 'fetch', 'alarm', 'test'].flatMap((name) => [
    `/cdn-cgi/handler/${name}`,
    `/cdn-cgi/mf/${name}`,
    `/cdn-cgi/local/${name}`,
    `/__${name}`,
  ]),
  ...['', '/trace', '/mf', '/mf/reload', '/handler', '/local', '/local/r2', '/ProxyWorker/pause'].map(
    (rest) => `/cdn-cgi${rest}`,
  ),
  ...[
    '/cdn-cgi/local/platform-proxy',
    '/cdn-cgi/platform-proxy',
    '/cdn-cgi/local/r2/public',
    '/cdn-cgi/local/r2/s3',
  ],
  ...['/cdn-cgi/local/r2/public/', '/cdn-cgi/local/r2/s3/'].map((prefix) => prefix + object),
  `/cdn-cgi/local/r2/s3/../public/${object}`,
  `/cdn-cgi/local/r2/s3/%2e%2e/public/${object}`,
  `/cdn-cgi/local/r2/s3//${object}`,
  `//cdn-cgi/local/r2/public/${object}`,
  ...['/cdn-cgi/local/r2/s3/', '/cdn-cgi/local/r2/s3/whylight', '/cdn-cgi/local/r2/s3/whylight?list-type=2'],
  ...['/__cf_local/stream/x', '/__cf_local/imagedelivery/x/y', '/__cf_local/imageupload/x', '/__scheduled'],
  ...[
    'error',
    'log',
    'store-temp-file',
    'dev-registry',
    'public-url',
    'do-storage/whylight-Flight',
    'workflow-storage/x',
  ].map((name) => `/core/${name}`),
  ...['launch', 'status', 'close', 'sessionIds'].map((name) => `/browser/${name}`),
  ...[
    '/standalone.js',
    '/index.html',
    '/chunks',
    '/.dev.vars',
    '/gateway.json',
    '/migrations',
    '/favicon.ico',
  ],
];

/** Headers by which Miniflare's parts tell each other whom a request is for. */
const disguises = (): Record<string, string>[] => [
  {},
  { 'MF-Original-URL': `http://127.0.0.1/cdn-cgi/local/r2/public/${object}` },
  { 'MF-Original-URL': `x:http://127.0.0.1/cdn-cgi/local/r2/public/${object}` },
  {
    'MF-Route-Override': 'whylight',
    'MF-Custom-Fetch-Service': 'MINIFLARE_IMAGES',
    'MF-Op': 'GET',
    'MF-Op-Target': '0',
  },
  {
    'MF-CF-Blob': '{}',
    'MF-Proxy-Shared-Secret': 'x',
    'MF-Loopback-Secret': '',
    'MF-Dev-Registry-Secret': '',
  },
  { Origin: 'http://localhost:3000', 'Access-Control-Request-Method': 'PUT' },
];

const statuses = [0, 400, 401, 403, 404, 405, 426, 501];
/** To open a tunnel through it workerd says 500, as it says of everything that a worker has no handler for. */
const refused = ({ status }: Answer, method = 'GET'): boolean =>
  statuses.includes(status) || (method === 'CONNECT' && status === 500);

/** What answers of all that is tried there, as `METHOD path status`. */
async function answering(target: Target, probes: readonly Probe[]): Promise<string[]> {
  const found: string[] = [];
  const waiting = [...probes];
  const client = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const answer = await probe(target, next);
      if (!refused(answer, next.method)) found.push(`${next.method} ${next.path} ${answer.status}`);
      expect(answer.body, next.path).not.toMatch(/sqlite|secret_sha256|\bat \S+ \(|webSocketDebuggerUrl/);
    }
  };
  await Promise.all(Array.from({ length: 8 }, client));
  return [...new Set(found)].sort();
}

const probesOf = (own: string): Probe[] => {
  const all: Probe[] = [];
  for (const path of paths()) {
    for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH'])
      all.push({ method, path, headers: { Host: own } });
    for (const disguise of disguises())
      all.push({ method: 'GET', path, headers: { Host: own, ...disguise } });
    for (const host of ['localhost', '[::1]', 'whylight', 'migrations', 'a.example'])
      all.push({ method: 'GET', path, headers: { Host: host } });
    all.push({ method: 'GET', path, headers: { Host: own, ...webSocketHeaders } });
  }
  for (const path of [own, `${own.split(':')[0]}:80`, 'miniflare-unsafe-internal-capnp-connect'])
    all.push({ method: 'CONNECT', path, headers: { Host: path } });
  return all;
};

describe('L1: what a running service opens', () => {
  test('L1: is one port each for gateway, store, worker and Miniflare, on the loopback interface, and one socket of its owner', async () => {
    expect(tcp().map(({ address }) => address.replace(/\d+$/, ''))).toEqual(tcp().map(() => '127.0.0.1:'));
    expect(
      tcp()
        .map(({ address }) => roleOf(address))
        .sort(),
    ).toEqual(['gateway', 'other', 'store', 'worker']);
    const sockets = listeners.filter((listener) => !tcp().includes(listener));
    expect(sockets.map(({ address }) => address)).toEqual(['entry.sock']);
    const home = join(service.directory, 'gateway');
    expect((await lstat(join(home, 'entry.sock'))).isSocket()).toBe(true);
    for (const folder of [service.directory, home])
      expect((await lstat(folder)).mode & 0o077, folder).toBe(0);
  });

  test('L1: answers on the gateway’s port by the gateway’s own routes alone', async () => {
    const { host } = new URL(service.ready.url);
    const answers = await answering(targetOf(service.ready.url), probesOf(host));
    // The root is the page, which its file's name opens too.
    expect(answers).toEqual(
      ['GET', 'HEAD', 'OPTIONS'].flatMap((method) =>
        ['/', '/index.html'].map((path) => `${method} ${path} ${method === 'OPTIONS' ? 204 : 200}`),
      ),
    );
  });

  test('L1: answers on the store’s port to signed requests alone', async () => {
    const { host } = new URL(service.ready.store_url);
    const target = targetOf(service.ready.store_url);
    expect(await answering(target, probesOf(host))).toEqual([]);
    const gateways = ['/livez', '/openapi.json', '/playground', '/v1/models', '/internal/backlog'];
    for (const path of gateways) expect((await probe(target, get(path))).status, path).toBe(404);
    const { png } = await drawing(32);
    const { upload } = await service.client.upload(png, 'image/png');
    expect(new URL(upload!.url).origin).toBe(service.ready.store_url);
    const elsewhere = upload!.url.replace(service.ready.store_url, service.ready.url);
    const answers = [upload!.url, elsewhere].map(async (url) => (await fetch(url, { method: 'PUT' })).status);
    expect(await Promise.all(answers)).toEqual([403, 404]);
  });

  test('L1: has no route of the gateway’s on its port that needs neither key nor signature and is not meant to', async () => {
    const document = await wholeDocument();
    const open = Object.keys(document.paths)
      .filter((path) => document.paths[path]!.get && !path.includes('{'))
      .filter((path) => (document.paths[path]!.get!.security ?? []).length === 0)
      .sort();
    const answered: string[] = [];
    for (const path of Object.keys(document.paths)) {
      const answer = await probe(targetOf(service.ready.url), get(path.replaceAll(/\{\w+\}/g, 'x')));
      if (!refused(answer)) answered.push(path);
    }
    expect(answered.sort()).toEqual(open);
    expect(open).toContain('/livez');
  });

  test('J4: answers 400 to two Host headers, and to one that names no host', async () => {
    const target = targetOf(service.ready.url);
    for (const hosts of ['Host: a.example\r\nHost: b.example', 'Host: a b'])
      expect([hosts, await statusOf(target, `GET /livez HTTP/1.1\r\n${hosts}\r\n`)]).toEqual([hosts, 400]);
    expect(await statusOf(target, 'GET /livez HTTP/1.1\r\nHost: a.example\r\n')).toBe(200);
  });

  test('L1: answers on the worker’s port about its health, and to the gateway’s signature', async () => {
    const { host } = new URL(service.ready.worker_url);
    const target = targetOf(service.ready.worker_url);
    expect(await answering(target, probesOf(host))).toEqual([]);
    const own = [
      '/health',
      '/livez',
      '/readyz',
      '/metrics',
      '/v1/jobs',
      '/v1/models',
      '/v2/renderings',
      '/v1/validations',
    ];
    const seen = await Promise.all(
      own.flatMap((path) =>
        ['GET', 'POST'].map(async (method) => (await probe(target, { ...get(path), method })).status),
      ),
    );
    expect(seen).toEqual([200, 404, 200, 404, 200, 404, 200, 404, 404, 401, 401, 404, 404, 401, 404, 401]);
  });

  test('L1: gives nobody but workerd an answer on Miniflare’s own port', async () => {
    const [other] = tcp().filter(({ address }) => roleOf(address) === 'other');
    const target = targetOf(`http://${other!.address}`);
    for (const next of probesOf(other!.address)) {
      const { status, body } = await probe(target, next);
      expect([status, body.replace(/^$/, 'Forbidden')], `${next.method} ${next.path}`).toEqual([
        next.method === 'CONNECT' ? 0 : 403,
        'Forbidden',
      ]);
    }
  });

  it('leaves its settings and secrets to its owner alone', async () => {
    const file = join(service.directory, 'gateway', '.dev.vars');
    expect((await lstat(file)).mode & 0o077).toBe(0);
    expect(await readFile(file, 'utf8')).toMatch(/^WORKER_SECRET=/m);
    const lines = await Promise.all(
      (await service.descendants()).map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
    );
    const { workerSecret } = JSON.parse(await readFile(join(service.directory, 'secrets.json'), 'utf8'));
    expect(lines.join()).not.toContain(workerSecret);
  });
});

const get = (path: string): Probe => ({ method: 'GET', path, headers: {} });
