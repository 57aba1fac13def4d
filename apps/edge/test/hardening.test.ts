import { env } from 'cloudflare:workers';
import { cacheKey, type Explanation, type Question, sign } from '@whylight/contract';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { app } from '../src/app.ts';
import { mintKey } from '../src/domain/api-key.ts';
import { leaseTime } from '../src/domain/run.ts';
import { newId } from '../src/domain/ulid.ts';
import { document } from '../src/openapi.ts';
import {
  at,
  bindings,
  cacheKeyOf,
  call,
  claim,
  explain,
  jobsTaken,
  later,
  newTenant,
  nonceOf,
  prefixOf,
  report,
  success,
  uploaded,
  write,
} from './gateway.ts';
import { workerSecret } from './secrets.ts';

afterEach(() => vi.restoreAllMocks());

async function asking() {
  const { key } = await newTenant();
  const upload = (await uploaded(key)).id;
  const ask = async (body = {}, headers = {}): Promise<Explanation> =>
    (await explain(key, { input: { upload }, ...body }, headers)).body;
  const authorization = { Authorization: `Bearer ${key}` };
  return { key, upload, ask, authorization };
}

describe('keys and origins', () => {
  test('A11: a key that is unknown takes the same comparison as a known one with a wrong secret', async () => {
    const { key } = await newTenant();
    const compare = vi.spyOn(crypto.subtle, 'timingSafeEqual');
    const comparisons = async (text: string) => {
      compare.mockClear();
      expect((await call('GET', '/v1/keys', { key: text })).status).toBe(401);
      return compare.mock.calls.map(([a, b]) => [a.byteLength, b.byteLength]);
    };
    const known = await comparisons(mintKey(`key_${key.split('_')[2]}`).text);
    const unknown = await comparisons(mintKey(newId('key')).text);
    expect(known).toEqual([[64, 64]]);
    expect(unknown).toEqual(known);
  });

  test('A15: no origin is let in: neither asked beforehand nor afterwards', async () => {
    const { key } = await newTenant();
    const paths = Object.keys(app.getOpenAPI31Document(document).paths ?? {});
    for (const path of paths.map((each) => each.replace(/\{\w+\}/g, 'x'))) {
      const headers = {
        Origin: 'https://evil.example',
        'Access-Control-Request-Method': 'GET',
        'Access-Control-Request-Headers': 'authorization',
      };
      const preflight = await call('OPTIONS', path, { headers });
      const { headers: answered } = await call('GET', path, { key, headers });
      for (const one of [preflight.headers, answered])
        expect(
          [...one.keys()].filter((name) => name.startsWith('access-control-')),
          path,
        ).toEqual([]);
    }
  });
});

describe('the worker’s clock', () => {
  test.each([-600, 600])('B21: %i s off, its reports count and its lease is by our clock', async (skew) => {
    const { key, ask } = await asking();
    const made = await ask();
    const [job] = await jobsTaken(cacheKeyOf(made));
    const say = async (body: object, url = job!.report_url) => {
      const path = new URL(url).pathname;
      const { attempt, lease } = job!;
      const text = JSON.stringify({ attempt, lease, nonce: nonceOf(job!), ...body });
      const signed = { direction: 'worker-to-gateway', method: 'POST', path, body: text } as const;
      const headers = await sign(workerSecret, signed, Date.now() / 1000 + skew);
      return (await call('POST', path, { body: text, headers })).status;
    };
    expect(await say({ worker: 'w1' }, job!.claim_url)).toBe(204);
    expect(await say({ status: 'processing' })).toBe(204);
    const computation = bindings.COMPUTATION.getByName(cacheKeyOf(made));
    await later(computation, leaseTime - 10_000);
    expect(await jobsTaken(cacheKeyOf(made))).toHaveLength(1);
    expect(await say(success(job!))).toBe(204);
    const { body } = await call<Explanation>('GET', made.urls.self, { key });
    expect(Math.abs(Date.parse(body.completed_at!) - Date.now())).toBeLessThan(60_000);
  });

  test('J11: a call signed an hour ago is refused', async () => {
    const { ask } = await asking();
    const [job] = await jobsTaken(cacheKeyOf(await ask()));
    const about = { attempt: 1, lease: job!.lease, nonce: nonceOf(job!) };
    const signedThen = (url: string, more: object) =>
      at(-3_600_000, async () => {
        const path = new URL(url).pathname;
        const body = JSON.stringify({ ...about, ...more });
        const signed = { direction: 'worker-to-gateway', method: 'POST', path, body } as const;
        return { path, body, headers: await sign(workerSecret, signed, Date.now() / 1000) };
      });
    const claimed = await signedThen(job!.claim_url, { worker: 'w1' });
    expect((await call('POST', claimed.path, claimed)).status).toBe(401);
    expect((await claim(job!)).status).toBe(204);
    const stale = await signedThen(job!.report_url, { status: 'processing' });
    expect((await call('POST', stale.path, stale)).status).toBe(401);
  });
});

describe('what is stored', () => {
  test('C8, C13: the URL of a picture opens that one for reading, for five minutes, as a download, and is logged nowhere', async () => {
    const logs = (['log', 'warn', 'error', 'info'] as const).map((level) => vi.spyOn(console, level));
    const { key, ask } = await asking();
    const made = await ask();
    const [job] = await jobsTaken(cacheKeyOf(made));
    await write(`${prefixOf(job!)}overlay.png`, 'a picture');
    await report(job!, success(job!));
    const { status, headers } = await call('GET', `${made.urls.self}/artifacts/overlay.png`, { key });
    const url = headers.get('Location')!;
    expect(status).toBe(302);
    expect(headers.get('Referrer-Policy')).toBe('no-referrer');
    expect(headers.get('Cache-Control')).toBe('private, no-store');
    expect(Number(new URL(url).searchParams.get('X-Amz-Expires'))).toBeLessThanOrEqual(300);
    const picture = await fetch(url);
    expect(await picture.text()).toBe('a picture');
    // Miniflare's store does not serve as it is told; but nobody can tell it otherwise than it was signed.
    const asked = new URL(url).searchParams;
    expect(asked.get('response-content-disposition')).toBe('attachment; filename="overlay.png"');
    expect(asked.get('response-content-type')).toBe('image/png');
    const inline = url.replace('attachment', 'inline');
    expect([inline === url, (await fetch(inline)).status]).toEqual([false, 403]);
    expect((await fetch(url, { method: 'PUT', body: 'x' })).status).toBe(403);
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(403);
    expect((await fetch(url.replace('overlay.png', 'result.json'))).status).toBe(403);
    expect(logs.flatMap((log) => log.mock.calls).join()).not.toMatch(/X-Amz-Signature|wl_live/);
  });

  test('C11: a store that refuses our signature is no fault of the caller’s, and the log says where to look', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => {});
    const { upload, authorization } = await asking();
    const wrong = { ...env, S3_SECRET_ACCESS_KEY: 'another' } as never;
    const response = await app.request(`/v1/uploads/${upload}`, { headers: authorization }, wrong);
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([
      503,
      'storage_unavailable',
    ]);
    expect(log.mock.calls.join()).toContain('clock');
    expect(log.mock.calls.join()).not.toContain('another');
  });
});

describe('the cache', () => {
  test('H8: another version of the method, of the numerics, of the model or of its preprocessing is another question', async () => {
    const { ask } = await asking();
    const [job] = await jobsTaken(cacheKeyOf(await ask()));
    const changes: Partial<Question>[] = [
      {},
      { method_version: '99' },
      { numerics_version: '99' },
      { model: `sha256:${'e'.repeat(64)}` },
      { preprocessing: `sha256:${'e'.repeat(64)}` },
    ];
    const keys = changes.map((change) => cacheKey('ten_x', { ...job!.question, ...change }, 'cpu'));
    keys.push(cacheKey('ten_x', job!.question, 'cuda'), cacheKey('ten_y', job!.question, 'cpu'));
    expect(new Set(await Promise.all(keys)).size).toBe(7);
  });

  test('H10: headers that name another host, place or user change neither the question nor any link', async () => {
    const { ask } = await asking();
    const plain = await ask();
    const poisoned = await ask(
      {},
      {
        'X-Forwarded-Host': 'evil.example',
        'X-Forwarded-Proto': 'http',
        'X-Original-URL': '/v1/keys',
        'X-Rewrite-URL': '/v1/keys',
        'X-Forwarded-For': '127.0.0.1',
        Forwarded: 'host=evil.example',
        'X-Tenant': 'ten_other',
      },
    );
    expect(poisoned.cache).toEqual({ status: 'collapsed', key: plain.cache.key });
    expect(JSON.stringify(poisoned)).not.toContain('evil');
    const [job] = await jobsTaken(cacheKeyOf(plain));
    expect(new URL(job!.report_url).origin).toBe(bindings.PUBLIC_URL);
  });
});

describe('requests', () => {
  test('I6: a photo by URL is not taken, whatever the URL', async () => {
    const { key } = await newTenant();
    for (const input of ['https://example.org/cat.jpg', { url: 'https://example.org/cat.jpg' }, 'data:,x']) {
      const answer = await call('POST', '/v1/explanations', { key, body: { input, method: 'grad-cam' } });
      expect([answer.status, answer.body.errors[0].pointer]).toEqual([
        400,
        expect.stringMatching(/^\/input/),
      ]);
    }
  });

  test('J4: line breaks in ids split nothing, and no header of the caller’s says who it is', async () => {
    const { key } = await newTenant();
    for (const id of ['exp_%0d%0aSet-Cookie:%20a=b', '%0d%0a%0d%0a<script>', 'exp_\u2028x']) {
      const answer = await call('GET', `/v1/explanations/${id}`, { key });
      expect([answer.status, answer.headers.get('Set-Cookie')]).toEqual([404, null]);
      expect(answer.text).not.toContain('script');
    }
    const spoofed = { 'X-Forwarded-User': 'admin', 'X-Api-Key': key, Cookie: `key=${key}` };
    expect((await call('GET', '/v1/keys', { headers: spoofed })).body.code).toBe('missing_api_key');
  });

  test('J10: a version that there is not is refused; that there is may be named', async () => {
    const { key } = await newTenant();
    const get = (version: string) => call('GET', '/v1/keys', { key, headers: { 'X-Api-Version': version } });
    for (const version of ['2026-12-01', '2026-11-01']) expect((await get(version)).status).toBe(200);
    for (const version of ['2019-01-01', 'latest', ''])
      expect([(await get(version)).status, (await get(version)).body.code]).toEqual([400, 'invalid_version']);
  });

  test('J2: who does not take JSON is told that there is nothing else', async () => {
    const { key } = await newTenant();
    const get = async (Accept: string) =>
      (await call('GET', '/v1/keys', { key, headers: { Accept } })).status;
    for (const accept of ['text/html', 'application/xml, image/*', 'application/json;q=0'])
      expect(await get(accept), accept).toBe(406);
    for (const accept of [
      '*/*',
      'application/json',
      'text/html, application/*;q=0.1',
      'application/problem+json',
    ])
      expect(await get(accept), accept).toBe(200);
  });

  test('J12: with the database or the objects away nothing is begun, and 503 says to try again', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => {});
    const { upload, authorization } = await asking();
    const away = () =>
      Promise.reject(Object.assign(new Error('Network connection lost.'), { retryable: true }));
    const broken = { getByName: () => new Proxy({}, { get: () => away }) };
    const prepare = () => {
      throw new Error('D1_ERROR: no answer');
    };
    const headers = { ...authorization, 'Content-Type': 'application/json' };
    const body = JSON.stringify({ input: { upload }, method: 'saliency' });
    for (const change of [{ COMPUTATION: broken }, { DB: { prepare } }]) {
      const there = { ...env, ...change } as never;
      const response = await app.request('/v1/explanations', { method: 'POST', headers, body }, there);
      expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([
        503,
        'capacity',
      ]);
      expect(response.headers.get('Retry-After')).toBe('5');
    }
  });
});
