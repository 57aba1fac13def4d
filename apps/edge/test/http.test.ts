import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { app } from '../src/app.ts';
import { document } from '../src/openapi.ts';
import { services } from '../src/services.ts';
import { bindings, call, newTenant } from './gateway.ts';

const api = app.getOpenAPI31Document(document);
const routes = Object.entries(api.paths ?? {}).flatMap(([path, item]) =>
  Object.keys(item as object).map((method) => ({ method: method.toUpperCase(), path })),
);

describe('HTTP', () => {
  let key: string;
  beforeAll(async () => {
    ({ key } = await newTenant());
  });
  const post = (body: string, headers = {}) => call('POST', '/v1/uploads', { key, body, headers });

  test.each([
    ['not JSON', '{"a":', 'invalid_json'],
    ['empty', '', 'invalid_json'],
    ['NaN', '{"content_length":NaN}', 'invalid_json'],
    ['a number beyond doubles', '{"content_length":1e999}', 'invalid_json'],
    ['a member twice', '{"sha256":"a","sha256":"b"}', 'invalid_json'],
    ['a member twice, once in disguise', '{"sha256":"a","\\u0073ha256":"b"}', 'invalid_json'],
    ['half a surrogate pair', '{"content_type":"\\ud800"}', 'invalid_json'],
    ['nested 10 000 deep', '['.repeat(10_000) + ']'.repeat(10_000), 'invalid_json'],
    [
      'an integer beyond 2^53',
      '{"content_type":"image/png","content_length":9007199254740993}',
      'invalid_parameter',
    ],
    ['not an object', '[]', 'invalid_parameter'],
  ])('J1: a body that is %s is 400', async (_, body, code) => {
    const answer = await post(body);
    expect([answer.status, answer.body.code]).toEqual([400, code]);
  });

  test('J1: a body of more than 64 kB is 413, and not read as JSON', async () => {
    const answer = await post(`"${'x'.repeat(65_535)}"`);
    expect([answer.status, answer.body.code]).toEqual([413, 'payload_too_large']);
    expect((await post(`"${'x'.repeat(65_534)}"`)).status).toBe(400);
  });

  test('J1: a body that is not UTF-8 is 400', async () => {
    const headers = { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' };
    const body = new Uint8Array([0x22, 0xff, 0x22]);
    const response = await app.request('/v1/uploads', { method: 'POST', headers, body }, env);
    expect(response.status).toBe(400);
  });

  test('J2: a body of another type is 415', async () => {
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data',
      'application/jsonx',
    ])
      expect((await post('{}', { 'Content-Type': type })).status).toBe(415);
    expect((await post('{}', { 'Content-Type': 'application/json; charset=utf-8' })).status).toBe(400);
  });

  test('J2: a method that a path does not have is 405 and names those that it has', async () => {
    const { status, headers, body } = await call('PATCH', '/v1/keys', { key });
    expect([status, body.code, headers.get('Allow')]).toEqual([
      405,
      'method_not_allowed',
      'OPTIONS, POST, GET, HEAD',
    ]);
  });

  test('J5: OPTIONS says what is allowed, HEAD is GET without its body', async () => {
    const options = await call('OPTIONS', '/v1/uploads');
    expect([options.status, options.headers.get('Allow')]).toEqual([204, 'OPTIONS, POST']);
    const head = await call('HEAD', '/livez');
    expect([head.status, head.text]).toEqual([200, '']);
  });

  test('J6: an unknown path is a problem in JSON, with a request id that the caller cannot choose', async () => {
    const { status, headers, body } = await call('GET', '/v1/nothing', {
      key,
      headers: { 'Request-Id': 'mine', 'X-Request-Id': 'mine', 'X-Forwarded-For': '127.0.0.1' },
    });
    expect(status).toBe(404);
    expect(headers.get('Content-Type')).toBe('application/problem+json');
    expect(headers.get('Request-Id')).toMatch(/^req_[0-9A-Z]{26}$/);
    expect(body).toMatchObject({
      code: 'resource_not_found',
      request_id: headers.get('Request-Id'),
      status: 404,
    });
  });

  test('J6: a 500 says nothing but its request id', async () => {
    const silent = vi.spyOn(console, 'error').mockImplementation(() => {});
    const broken = {
      ...env,
      DB: {
        prepare: () => {
          throw new Error('secret detail at /some/path');
        },
      },
    };
    const response = await app.request(
      '/v1/keys',
      { headers: { Authorization: `Bearer ${key}` } },
      broken as never,
    );
    const text = await response.text();
    expect(response.status).toBe(500);
    expect(text).not.toMatch(/secret|path|Error/);
    expect(silent).toHaveBeenCalledOnce();
    expect(silent.mock.calls[0]![0]).toContain(response.headers.get('Request-Id'));
    silent.mockRestore();
  });

  test.each(['S3_SECRET_ACCESS_KEY', 'WORKER_SECRET', 'OPERATOR_KEY_SHA256', 'PUBLIC_URL'])(
    'without %s nothing is served, and the log says why',
    async (name) => {
      const log = vi.spyOn(console, 'error').mockImplementation(() => {});
      const half = { ...env, [name]: undefined } as never;
      for (const path of ['/v1/keys', '/readyz']) {
        const response = await app.request(path, {}, half);
        expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([
          503,
          'not_configured',
        ]);
      }
      expect(log.mock.calls.join()).toContain(name);
      expect(log.mock.calls.join()).not.toContain(bindings.WORKER_SECRET);
      log.mockRestore();
    },
  );

  test('C10: a store that does not answer is 503', async () => {
    const away = { ...env, S3_ENDPOINT: 'http://127.0.0.1:9/s3' };
    const headers = { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' };
    const sha256 = 'e'.repeat(64);
    const body = JSON.stringify({ content_type: 'image/png', content_length: 1, sha256 });
    await app.request('/v1/uploads', { method: 'POST', headers, body }, env);
    const ask = JSON.stringify({ input: { sha256 }, method: 'grad-cam' });
    const response = await app.request('/v1/explanations', { method: 'POST', headers, body: ask }, away);
    const problem = (await response.json()) as { code: string };
    expect([response.status, problem.code]).toEqual([503, 'storage_unavailable']);
    expect(response.headers.get('Retry-After')).toBe('5');
  });

  test('C10: a store that stumbles once is asked a second time, and no third', async () => {
    const { objects } = services(bindings);
    const object = 't/none/u/none';
    const { fetch } = globalThis;
    let [stumbles, tries] = [1, 0];
    const asked = vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
      // What others left behind may be at the store at the same time.
      const url = input instanceof Request ? input.url : String(input);
      if (!url.includes(object)) return fetch(input, init);
      tries++;
      return stumbles-- > 0 ? new Response(null, { status: 503 }) : fetch(input, init);
    });
    try {
      expect(await objects.head(object)).toBeNull();
      [stumbles, tries] = [2, 0];
      await expect(objects.head(object)).rejects.toMatchObject({ code: 'storage_unavailable' });
      expect(tries).toBe(2);
    } finally {
      asked.mockRestore();
    }
  });

  test('H11: what is answered to a key is private, and no page may frame it or guess its type', async () => {
    const { headers } = await call('GET', '/v1/keys', { key });
    expect(headers.get('Cache-Control')).toContain('private');
    expect(headers.get('Vary')).toBe('Authorization, X-Api-Version');
    expect(headers.get('X-Content-Type-Options')).toBe('nosniff');
    expect(headers.get('Content-Security-Policy')).toContain("default-src 'none'");
    expect(headers.get('Referrer-Policy')).toBe('no-referrer');
    expect(headers.get('Access-Control-Allow-Origin')).toBeNull();
  });
});

describe('the documentation', () => {
  test('the document is served and lists every route that the router has', async () => {
    const { status, body } = await call('GET', '/openapi.json');
    expect(status).toBe(200);
    const routed = app.routes
      .filter(({ method }) => method !== 'ALL')
      .map(({ method, path }) => `${method} ${path}`);
    const listed = routes.map(({ method, path }) => `${method} ${path.replace(/\{(\w+)\}/g, ':$1')}`);
    expect([...new Set(routed)].sort()).toEqual([...new Set(listed)].sort());
    expect(Object.keys(body.components.schemas)).toContain('Explanation');
  });

  const isOfTenants = ({ path }: (typeof routes)[number]) =>
    path.startsWith('/v1/') || path.startsWith('/internal/');
  const probes = ['/', '/v2', '/v2/health/live', '/v2/health/ready'].map(
    (path) => `/v1/compat/kserve${path}`,
  );

  test('L16: only KServe’s probes of the server need no key', async () => {
    const open = routes.filter((route) => isOfTenants(route) && probes.includes(route.path));
    expect(open.map(({ method, path }) => `${method} ${path}`)).toEqual(probes.map((path) => `GET ${path}`));
    for (const path of probes) expect((await call('GET', path)).status, path).toBe(200);
  });

  test.each(routes.filter((route) => isOfTenants(route) && !probes.includes(route.path)))(
    '$method $path lets nobody in without a key, and says in the document which one',
    async ({ method, path }) => {
      const { status } = await call(method, path.replace(/\{\w+\}/g, '0'.repeat(64)), {
        ...(method === 'POST' ? { body: {} } : {}),
      });
      expect(status).toBe(401);
      const operation = (api.paths as Record<string, Record<string, { security?: object[] }>>)[path]![
        method.toLowerCase()
      ];
      expect(operation!.security).toHaveLength(1);
    },
  );

  /** The files of the page as the build writes them: this gateway is not built with any. */
  const built: Record<string, string | Uint8Array<ArrayBuffer>> = {
    '/index.html': '<meta name="whylight-service" content="" /><p>english</p>',
    '/zh.html': '<meta name="whylight-service" content="" /><p>chinese</p>',
    '/service-worker.js': 'self',
    '/assets/main-1.js': 'main',
    '/standalone.js': 'of the documentation',
  };
  const ask = (path: string, headers: Record<string, string> = {}) => {
    const ASSETS = {
      async fetch(url: URL) {
        const content = built[url.pathname];
        return content === undefined ? new Response(null, { status: 404 }) : new Response(content);
      },
    };
    return app.request(path, { headers }, { ...bindings, ASSETS } as never);
  };

  test('the address itself is the page, in the language that the browser asks for', async () => {
    for (const [accepted, said] of [
      ['', 'english'],
      ['de, zh-CN;q=0.8, en;q=0.5', 'chinese'],
      ['en-GB, zh', 'english'],
    ] as const) {
      const response = await ask('/', accepted === '' ? {} : { 'Accept-Language': accepted });
      expect([response.status, response.headers.get('Content-Type')]).toEqual([
        200,
        'text/html; charset=utf-8',
      ]);
      expect(response.headers.get('Vary')).toContain('Accept-Language');
      const text = await response.text();
      expect(text).toContain(said);
      // The page learns here that this service is the one to ask.
      expect(text).toContain('<meta name="whylight-service" content="/" />');
    }
    const { status, headers } = await call('GET', '/playground');
    expect([status, headers.get('Location')]).toEqual([302, '/']);
  });

  test('the page may run its own scripts only, and talk to this service and its store only', async () => {
    const store = new URL(bindings.S3_ENDPOINT).origin;
    // A worker obeys the headers of its own script.
    for (const path of ['/', '/service-worker.js', '/assets/main-1.js']) {
      const { headers } = await ask(path);
      const policy = headers.get('Content-Security-Policy')!;
      expect(policy, path).toContain("script-src 'self' 'wasm-unsafe-eval';");
      expect(policy, path).toContain(`connect-src 'self' ${store};`);
      expect(policy, path).toContain("frame-ancestors 'none'");
      expect(policy, path).not.toMatch(/unsafe-inline|unsafe-eval'? |\*/);
      expect(headers.get('Cross-Origin-Opener-Policy'), path).toBe('same-origin');
      expect(headers.get('Cross-Origin-Embedder-Policy'), path).toBe('require-corp');
    }
  });

  test('files of the page have their types, and last as long as their names; others are not found', async () => {
    const packed = new Response('wasm').body!.pipeThrough(new CompressionStream('gzip'));
    built['/assets/ort.wasm.gz'] = new Uint8Array(await new Response(packed).arrayBuffer());
    const script = await ask('/assets/main-1.js');
    expect([script.status, script.headers.get('Content-Type'), script.headers.get('Cache-Control')]).toEqual([
      ...[200, 'text/javascript; charset=utf-8', 'public, max-age=31536000, immutable'],
    ]);
    const wasm = await ask('/assets/ort.wasm');
    expect([wasm.headers.get('Content-Type'), await wasm.text()]).toEqual(['application/wasm', 'wasm']);
    expect((await ask('/service-worker.js')).headers.get('Cache-Control')).toBe('no-cache');
    for (const path of [
      '/assets/other.js',
      '/standalone.js',
      '/assets/..%2fstandalone.js',
      '/assets/%2e%2e/standalone.js',
    ])
      expect((await ask(path)).status, path).toBe(404);
  });

  test('the documentation brings its own script and asks nobody else for anything', async () => {
    const page = await call('GET', '/docs');
    expect(page.status).toBe(200);
    expect(page.text).toContain('src="/docs/reference.js"');
    expect(page.text).not.toMatch(/(src|href)="https?:/);
    expect(page.headers.get('Content-Security-Policy')).toContain("connect-src 'self'");
    const script = await call('GET', '/docs/reference.js');
    expect([script.status, script.headers.get('Content-Type')]).toEqual([
      200,
      'text/javascript; charset=utf-8',
    ]);
    expect(script.text.length).toBeGreaterThan(1_000_000);
    expect((await call('GET', '/standalone.js')).status).toBe(404);
  });
});
