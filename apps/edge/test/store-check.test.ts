import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { app } from '../src/app.ts';
import { at, bindings } from './gateway.ts';

const real = globalThis.fetch;

/** A store in memory, of this one bucket: what is in it, by name. */
let stored = new Map<string, string>();
const left = (): string[] => [...stored.keys()];
const remembered = async (): Promise<string[]> =>
  (await bindings.DB.prepare('SELECT name FROM probe_objects').all<{ name: string }>()).results.map(
    ({ name }) => name,
  );

const refusal = (status: number) => new Response('<Error><Code>AccessDenied</Code></Error>', { status });

/** What a store does that takes every header which it is sent, signed or not. */
async function serve(request: Request): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  const name = pathname.slice(new URL(`${bindings.S3_ENDPOINT}/${bindings.S3_BUCKET}/`).pathname.length);
  if (request.method === 'POST') return new Response('<UploadId>upload</UploadId>');
  if (request.method === 'DELETE') {
    if (!searchParams.has('uploadId')) stored.delete(name);
    return new Response(null, { status: 204 });
  }
  const source = request.headers.get('x-amz-copy-source')?.replace(`/${bindings.S3_BUCKET}/`, '');
  if (source !== undefined && !stored.has(source)) return refusal(404);
  if (!searchParams.has('partNumber')) stored.set(name, source ?? (await request.text()));
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
    ['does not answer', away],
    ['answers 500', () => refusal(500)],
    ['answers 403 to everything', () => refusal(403)],
    ['answers 403 to every PUT', ({ method }) => (method === 'PUT' ? refusal(403) : 'passes')],
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
