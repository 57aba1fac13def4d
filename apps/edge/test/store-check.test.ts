import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { app } from '../src/app.ts';
import { services } from '../src/services.ts';
import { at, bindings } from './gateway.ts';

const real = globalThis.fetch;

/** A store in memory, of this one bucket: what is in it, by name. */
let stored = new Map<string, Uint8Array>();
const left = (): string[] => [...stored.keys()];
const remembered = async (): Promise<string[]> =>
  (await bindings.DB.prepare('SELECT name FROM probe_objects').all<{ name: string }>()).results.map(
    ({ name }) => name,
  );

const refusal = (status: number, code = 'AccessDenied', more = '') =>
  new Response(`<Error><Code>${code}</Code>${more}</Error>`, { status });
const asXml = (message: string) => `<Message>${message}</Message>`;

/** What a store does that takes every header which it is sent, signed or not. */
async function serve(request: Request): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  const name = pathname.slice(new URL(`${bindings.S3_ENDPOINT}/${bindings.S3_BUCKET}/`).pathname.length);
  if (request.method === 'GET' || request.method === 'HEAD') {
    const found = stored.get(name);
    return found ? new Response(found.slice()) : refusal(404, 'NoSuchKey');
  }
  if (request.method === 'POST') return new Response('<UploadId>upload</UploadId>');
  if (request.method === 'DELETE') {
    if (!searchParams.has('uploadId')) stored.delete(name);
    return new Response(null, { status: 204 });
  }
  const source = request.headers.get('x-amz-copy-source')?.replace(`/${bindings.S3_BUCKET}/`, '');
  if (source !== undefined && !stored.has(source)) return refusal(404);
  if (!searchParams.has('partNumber')) stored.set(name, new Uint8Array(await request.arrayBuffer()));
  return new Response(null);
}

type Behaviour = (request: Request, unsigned: string[]) => Response | 'unreachable' | 'passes';

/** Puts a store of this behaviour in the place of the one of the tests. */
function storeThat(behaves: Behaviour) {
  return vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
    const request = new Request(input, init);
    if (!request.url.startsWith(bindings.S3_ENDPOINT)) return real(input, init);
    const named = new URL(request.url).searchParams.get('X-Amz-SignedHeaders')?.split(';');
    const names = named ? [...request.headers.keys()].filter((name) => name.startsWith('x-amz-')) : [];
    const answer = behaves(
      request,
      names.filter((name) => !named!.includes(name)),
    );
    if (answer === 'unreachable') throw new TypeError('Network connection lost.');
    return answer === 'passes' ? serve(request) : answer;
  });
}

const lax: Behaviour = () => 'passes';
/** As AWS S3 does it. */
const strict: Behaviour = (_, unsigned) => (unsigned.length > 0 ? refusal(403) : 'passes');
const away: Behaviour = () => 'unreachable';

/** An isolate that has just started. */
function isolate() {
  const own = { ...env };
  return async () => {
    const response = await app.request('/readyz', {}, own);
    return { status: response.status, body: (await response.json()) as { code?: string; detail?: string } };
  };
}

describe('L2: the gateway is ready only with a store that refuses what a signed URL does not sign', () => {
  beforeEach(async () => {
    await bindings.DB.prepare('DELETE FROM store_check').run();
    await bindings.DB.prepare('DELETE FROM probe_objects').run();
    stored = new Map();
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  test('L2: it is ready with one that does, and leaves nothing behind there', async () => {
    storeThat(strict);
    expect(await isolate()()).toEqual({ status: 200, body: { status: 'ok' } });
    expect([left(), await remembered()]).toEqual([[], []]);
  });

  test('L2: it is not with one that takes them, says what the store must do, and leaves nothing behind', async () => {
    storeThat(lax);
    const { status, body } = await isolate()();
    expect([status, body.code]).toEqual([503, 'not_configured']);
    expect(body.detail).toContain('x-amz-copy-source, x-amz-meta-probe, x-amz-copy-source (of a part)');
    expect(body.detail).toContain('must answer 403 to every x-amz-* header');
    expect([left(), await remembered()]).toEqual([[], []]);
  });

  test.each([
    ['x-amz-copy-source', ({ url }: Request) => !url.includes('partNumber')],
    ['x-amz-copy-source (of a part)', ({ url }: Request) => url.includes('partNumber')],
    ['x-amz-meta-probe', () => true],
  ])('L2: taking %s alone is enough', async (taken, isThere) => {
    const name = taken.split(' ')[0]!;
    storeThat((request, unsigned) =>
      unsigned.length > 0 && !(unsigned.includes(name) && isThere(request)) ? refusal(403) : 'passes',
    );
    expect((await isolate()()).body.detail).toContain(`(${taken}),`);
    expect([left(), await remembered()]).toEqual([[], []]);
  });

  test('L2: a store that has no such feature refuses it', async () => {
    storeThat((_, unsigned) => (unsigned.length > 0 ? refusal(501) : 'passes'));
    expect((await isolate()()).status).toBe(200);
  });

  test('L2: it is tried once an hour by all isolates together, and not on each request', async () => {
    const asked = storeThat(strict);
    const [one, other] = [isolate(), isolate()];
    await Promise.all([one(), one(), one()]);
    const once = asked.mock.calls.length;
    expect(once).toBeLessThan(12);
    await one();
    await other();
    await isolate()();
    expect(asked.mock.calls.length).toBe(once);
    await at(61 * 60_000, one);
    expect(asked.mock.calls.length).toBe(2 * once);
  });

  test('L2: a store that has been put right is ready a minute later', async () => {
    storeThat(lax);
    const ready = isolate();
    expect((await ready()).status).toBe(503);
    vi.restoreAllMocks();
    const asked = storeThat(strict);
    expect((await ready()).status).toBe(503);
    expect(asked).not.toHaveBeenCalled();
    expect((await at(61_000, ready)).status).toBe(200);
  });

  test.each<[string, Behaviour]>([
    ['is asked too often', (_, unsigned) => (unsigned.length > 0 ? refusal(429) : 'passes')],
    ['goes away between two requests', (_, unsigned) => (unsigned.length > 0 ? 'unreachable' : 'passes')],
  ])('L2: a store that %s changes nothing of what is known', async (_, behaviour) => {
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    vi.spyOn(console, 'error').mockImplementation(() => {});
    const fresh = storeThat(behaviour);
    expect((await isolate()()).status).toBe(200);
    const known = await bindings.DB.prepare('SELECT count(*) AS n FROM store_check').first('n');
    expect(known).toBe(0);
    fresh.mockRestore();

    for (const [before, status] of [[strict, 200] as const, [lax, 503] as const]) {
      await bindings.DB.prepare('DELETE FROM store_check').run();
      const seen = storeThat(before);
      const ready = isolate();
      expect((await ready()).status).toBe(status);
      seen.mockRestore();
      const then = storeThat(behaviour);
      for (const minutes of [61, 63, 65]) expect((await at(minutes * 60_000, ready)).status).toBe(status);
      then.mockRestore();
    }
  });

  test('L2: the store of these tests takes them, as Miniflare’s S3 endpoint does', async () => {
    const { status, body } = await isolate()();
    expect([status, body.detail]).toEqual([503, expect.stringContaining('x-amz-copy-source')]);
    expect(await remembered()).toEqual([]);
  });

  test('L2: what could not be deleted is deleted by a later trial', async () => {
    const first = storeThat((request, unsigned) =>
      request.method === 'DELETE' ? 'unreachable' : strict(request, unsigned),
    );
    const ready = isolate();
    expect((await ready()).status).toBe(200);
    expect([left().length, (await remembered()).length]).toEqual([1, 2]);
    first.mockRestore();
    storeThat(strict);
    expect((await at(61 * 60_000, ready)).status).toBe(200);
    expect([left(), await remembered()]).toEqual([[], []]);
  });
});

const isSigned = ({ url }: Request) => new URL(url).searchParams.has('X-Amz-Signature');
const host = new URL(bindings.S3_ENDPOINT).host;

describe('L13: the gateway is ready only with a store that works for it and for its clients', () => {
  beforeEach(async () => {
    await bindings.DB.prepare('DELETE FROM store_check').run();
    await bindings.DB.prepare('DELETE FROM probe_objects').run();
    stored = new Map();
    logged = [];
    vi.spyOn(console, 'error').mockImplementation((line: string) => void logged.push(line));
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  let logged: string[] = [];
  const secrets = [bindings.S3_ACCESS_KEY_ID, bindings.S3_SECRET_ACCESS_KEY, 'X-Amz-'];

  /** A store that answers `verb` so. */
  const to =
    (verb: string, answer: () => Response): Behaviour =>
    (request, unsigned) =>
      request.method === verb ? answer() : strict(request, unsigned);

  test.each<[string, Behaviour, RegExp]>([
    ['does not answer', away, /does not answer: nothing listens there, or the connection breaks off/],
    ['answers 500', () => refusal(500, 'InternalError'), /has a fault or too much to do.*500 InternalError/],
    [
      'answers 403 to everything',
      () => refusal(403),
      /Give the key the right s3:PutObject.*403 AccessDenied/,
    ],
    [
      'answers 403 to every PUT',
      to('PUT', () => refusal(403)),
      /the right s3:PutObject, for the bucket "photos"/,
    ],
    ['lets nobody read', to('GET', () => refusal(403)), /the right s3:GetObject,/],
    [
      'does not say what is not there',
      to('HEAD', () => refusal(403)),
      /the right s3:GetObject and s3:ListBucket/,
    ],
    ['lets nobody delete', to('DELETE', () => refusal(403)), /the right s3:DeleteObject,/],
    [
      'has another region',
      () =>
        refusal(
          400,
          'AuthorizationQueryParametersError',
          asXml('the region is wrong; expecting "eu-west-1"'),
        ),
      /expects the region "eu-west-1", and "auto" was used\. Set S3_REGION=eu-west-1/,
    ],
    [
      'lacks the bucket',
      () => refusal(404, 'NoSuchBucket'),
      /does not know the bucket "photos"\. Make the bucket, or correct S3_BUCKET/,
    ],
    ['does not know the key', () => refusal(403, 'InvalidAccessKeyId'), /Set S3_ACCESS_KEY_ID/],
    ['has another secret', () => refusal(403, 'SignatureDoesNotMatch'), /Set S3_SECRET_ACCESS_KEY/],
    [
      'has another time',
      (request) => (isSigned(request) ? 'passes' : refusal(403, 'RequestTimeTooSkewed')),
      /Set the time of both by NTP/,
    ],
    [
      'finds signed URLs expired',
      () => refusal(403, 'AccessDenied', asXml('Request has expired.')),
      /Set the time of both by NTP/,
    ],
    [
      'gives back other bytes',
      to('GET', () => new Response('something else')),
      /other bytes than were written/,
    ],
    [
      'is another one for the gateway',
      (request, unsigned) =>
        request.method === 'GET' && !isSigned(request)
          ? refusal(404, 'NoSuchKey')
          : strict(request, unsigned),
      /both endpoints must lead to the same bucket/,
    ],
    [
      'is no store',
      () => new Response('<html>', { status: 405 }),
      /does not answer as an S3 store does\. Set S3_ENDPOINT/,
    ],
  ])('L13: it is not with one that %s, and says why', async (_, behaviour, sentence) => {
    storeThat(behaviour);
    const { status, body } = await isolate()();
    expect([status, body.code]).toEqual([503, 'not_configured']);
    expect(body.detail).toMatch(sentence);
    expect(body.detail).toContain(host);
    expect(secrets.filter((secret) => logged.join().includes(secret))).toEqual([]);
    expect(logged).toContain(body.detail);
  });

  test('L13: a store that has failed once only, or works again a minute later, is ready', async () => {
    let failures = 1;
    const once = storeThat((request, unsigned) =>
      failures-- > 0 ? refusal(503, 'SlowDown') : strict(request, unsigned),
    );
    expect((await isolate()()).status).toBe(200);
    once.mockRestore();
    await bindings.DB.prepare('DELETE FROM store_check').run();
    const gone = storeThat(away);
    const ready = isolate();
    expect((await ready()).status).toBe(503);
    gone.mockRestore();
    const asked = storeThat(strict);
    // Neither this isolate nor another one asks again within a minute.
    expect([(await ready()).status, (await isolate()()).status]).toEqual([503, 503]);
    expect(asked).not.toHaveBeenCalled();
    expect((await at(61_000, ready)).status).toBe(200);
  });

  test('L13: another key is tried at once, not after an hour', async () => {
    const asked = storeThat(strict);
    expect((await isolate()()).status).toBe(200);
    const before = asked.mock.calls.length;
    await app.request('/readyz', {}, { ...env, S3_SECRET_ACCESS_KEY: 'another secret' } as never);
    expect(asked.mock.calls.length).toBe(2 * before);
  });

  test('L13: the log has verb, host, status and code of what the store refuses, and nothing of the URL', async () => {
    storeThat(() => refusal(403, 'SignatureDoesNotMatch', '<AWSAccessKeyId>AKIAEXAMPLE</AWSAccessKeyId>'));
    const { objects } = services(bindings);
    await expect(objects.head('t/acme/u/1')).rejects.toMatchObject({ code: 'storage_unavailable' });
    await expect(objects.read('t/acme/u/1')).rejects.toMatchObject({ code: 'storage_unavailable' });
    expect(await objects.delete('t/acme/u/1')).toBe(false);
    expect(logged).toEqual([
      // The HEAD is sent twice.
      ...['HEAD', 'HEAD', 'GET', 'DELETE'].map(
        (verb) => `object store: ${verb} ${host}: 403 SignatureDoesNotMatch`,
      ),
    ]);
  });

  test('L13: with the bucket in the host, URLs and the page have that host', async () => {
    const virtual = {
      ...env,
      S3_ENDPOINT: 'https://s3.eu-west-1.amazonaws.com',
      S3_REGION: '',
      ASSETS: { fetch: async () => new Response('<html></html>') },
    } as never as typeof bindings;
    const { objects } = services(virtual);
    const url = new URL(await objects.signedPut('t/acme/u/1', { 'content-type': 'image/png' }));
    expect([url.host, url.pathname]).toEqual(['photos.s3.eu-west-1.amazonaws.com', '/t/acme/u/1']);
    expect(url.searchParams.get('X-Amz-Credential')).toContain('/eu-west-1/s3/');
    const page = await app.request('/', {}, virtual);
    expect(page.headers.get('Content-Security-Policy')).toContain(
      'https://photos.s3.eu-west-1.amazonaws.com;',
    );
  });
});
