import { env } from 'cloudflare:workers';
import type { Problem } from '@whylight/contract';
import { describe, expect, test } from 'vitest';
import { app } from '../src/app.ts';
import { mintKey } from '../src/domain/api-key.ts';
import { newId } from '../src/domain/ulid.ts';
import {
  type Answer,
  cacheKeyOf,
  call,
  explain,
  jobsTaken,
  newKey,
  newTenant,
  report,
  success,
  uploaded,
} from './gateway.ts';
import { operatorKey } from './secrets.ts';

const limited = async (limits: object, name = 'limited') => {
  const tenant = await newTenant(name);
  const path = `/v1/operator/tenants/${tenant.id}/limits`;
  const set = (body: object) => call('PUT', path, { key: operatorKey, body });
  expect((await set(limits)).status).toBe(200);
  return { ...tenant, set };
};
const refusal = ({ status, body, headers }: Answer<unknown>) => {
  const { code, type, retryable, 'violated-policies': policies } = body as Problem;
  return {
    status,
    code,
    type: type.split('#')[1],
    retryable,
    policies,
    after: Number(headers.get('Retry-After')),
  };
};
const usage = async (key: string) => (await call('GET', '/v1/usage', { key })).body.data;

describe('limits of a tenant', () => {
  test('G1, G3, G6: of many requests at once exactly as many as the limit come through, the rest is 429', async () => {
    const { key } = await limited({ requests: 20 });
    const answers = await Promise.all(Array.from({ length: 50 }, () => call('GET', '/v1/keys', { key })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(20);
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(30);
    for (const answer of refused) {
      expect(refusal(answer)).toMatchObject({
        code: 'rate_limited',
        type: 'quota-exceeded',
        retryable: true,
        policies: ['requests'],
      });
      const [, left, seconds] = /"requests";r=(\d+);t=(\d+)/.exec(answer.headers.get('RateLimit')!)!;
      expect(left).toBe('0');
      // G5
      expect(refusal(answer).after).toBeGreaterThanOrEqual(Number(seconds));
    }
    const other = await newTenant();
    expect((await call('GET', '/v1/keys', { key: other.key })).status).toBe(200);
  });

  test('G1: the requests of a tenant that is suspended count too', async () => {
    const { id, key } = await limited({ requests: 2 });
    await call('POST', `/v1/operator/tenants/${id}/suspend`, { key: operatorKey });
    const ask = async () => (await call('GET', '/v1/keys', { key })).body.code;
    expect([await ask(), await ask(), await ask()]).toEqual([
      'tenant_suspended',
      'tenant_suspended',
      'rate_limited',
    ]);
  });

  test('every answer says how it stands with the limits', async () => {
    const { key } = await limited({ requests: 10, concurrency: 3, compute_units: 500 });
    const { headers } = await call('GET', '/v1/keys', { key });
    expect(headers.get('RateLimit-Policy')).toBe(
      '"requests";q=10;w=60, "compute";q=500;qu="compute-units";w=86400, "concurrency";q=3;qu="concurrent-requests", "batches";q=20;qu="waiting-batches"',
    );
    expect(headers.get('RateLimit')).toMatch(
      /^"requests";r=9;t=\d+, "compute";r=500;t=\d+, "concurrency";r=3, "batches";r=20$/,
    );
  });

  test('G1, G6: more computations at a time than allowed are 429; what joins or is known takes no place', async () => {
    const { key } = await limited({ concurrency: 2 });
    const upload = (await uploaded(key)).id;
    const ask = (index: number) => explain(key, { input: { upload }, target: { class_index: index } });
    const [first, second] = [await ask(0), await ask(1)];
    expect([first.status, second.status]).toEqual([202, 202]);
    expect(refusal(await ask(2))).toMatchObject({
      status: 429,
      code: 'concurrency_limited',
      policies: ['concurrency'],
      after: 1,
    });
    expect((await ask(0)).body.cache.status).toBe('collapsed');
    expect((await call('GET', '/v1/explanations', { key })).body.data).toHaveLength(3);
    const [job] = await jobsTaken(cacheKeyOf(first.body));
    await report(job!, success(job!));
    expect((await ask(0)).body.cache.status).toBe('hit');
    expect((await ask(2)).status).toBe(202);
    expect((await call('POST', second.body.urls.cancel, { key })).status).toBe(200);
    expect((await ask(3)).status).toBe(202);
  });

  test('G1, G6: the units of a day can be used to the last, by what is computed only, and once', async () => {
    const { key, set } = await limited({ compute_units: 11 });
    const upload = (await uploaded(key)).id;
    const ask = (n_steps: number, headers = {}) =>
      explain(key, { input: { upload }, method: 'integrated-gradients', parameters: { n_steps } }, headers);
    const first = await ask(7);
    expect(refusal(await ask(5))).toMatchObject({
      status: 429,
      code: 'quota_exceeded',
      policies: ['compute'],
    });
    const [job] = await jobsTaken(cacheKeyOf(first.body));
    await report(job!, success(job!));
    await report(job!, success(job!));
    expect((await ask(7)).body.cache.status).toBe('hit');
    expect((await usage(key))[0]).toMatchObject({ explanations: 1, compute_units: 7 });

    const failing = await ask(4);
    const [lost] = await jobsTaken(cacheKeyOf(failing.body));
    const error = { code: 'non_finite_output', message: 'NaN.', retryable: false };
    await report(lost!, { status: 'failed', error });
    const canceled = await ask(2);
    const [half] = await jobsTaken(cacheKeyOf(canceled.body));
    await report(half!, { status: 'progress', completed: 1, total: 2 });
    await call('POST', canceled.body.urls.cancel, { key });
    expect((await usage(key))[0]).toMatchObject({ explanations: 3, compute_units: 8 });
    expect((await ask(4)).status).toBe(429);
    expect((await ask(3)).status).toBe(202);
    await set({ compute_units: 100 });
    expect((await ask(4)).status).toBe(202);
  });

  test('the limits and what is left of them can be read, and set by the operator alone', async () => {
    const { id, key } = await limited({ requests: 100, concurrency: 4 });
    const { body } = await call('GET', '/v1/limits', { key });
    expect(body).toMatchObject({
      object: 'limits',
      requests: { limit: 100, window_seconds: 60, remaining: 99 },
      concurrency: { limit: 4, in_use: 0 },
      compute_units: { limit: 100_000, remaining: 100_000 },
      batches: { limit: 20, in_use: 0 },
    });
    const path = `/v1/operator/tenants/${id}/limits`;
    expect((await call('PUT', path, { key, body: { requests: 1000 } })).status).toBe(401);
    const nobody = path.replace(id, newId('ten'));
    expect((await call('PUT', nobody, { key: operatorKey, body: {} })).status).toBe(404);
    expect((await call('PUT', path, { key: operatorKey, body: { requests: -1 } })).status).toBe(400);
    const reader = await newKey(key, { scopes: ['uploads:read'] });
    expect((await call('GET', '/v1/usage', { key: reader })).status).toBe(403);
  });
});

describe('limits of the system', () => {
  test('G2: when too much waits, what would have to be computed is 503, what is known is answered', async () => {
    const { key } = await newTenant();
    const upload = (await uploaded(key)).id;
    const known = await explain(key, { input: { upload } });
    const [job] = await jobsTaken(cacheKeyOf(known.body));
    await report(job!, success(job!));
    const full = { ...env, BACKLOG_LIMIT: '0' };
    const ask = async (target: unknown) => {
      const headers = { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' };
      const body = JSON.stringify({ input: { upload }, method: 'grad-cam', target });
      return app.request('/v1/explanations', { method: 'POST', headers, body }, full);
    };
    const refused = await ask({ class_index: 1 });
    const { code, type } = (await refused.json()) as Problem;
    expect([refused.status, code, type.split('#')[1]]).toEqual([
      503,
      'capacity',
      'temporary-reduced-capacity',
    ]);
    expect(Number(refused.headers.get('Retry-After'))).toBeGreaterThan(0);
    expect((await ask('predicted')).status).toBe(200);
  });

  test('G7: a meter that is down lets reading through, and begins nothing', async () => {
    const { key } = await newTenant();
    const down = { request: () => Promise.reject(new Error('down')) };
    const broken = { ...env, METER: { getByName: () => down } } as never;
    const headers = { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' };
    expect((await app.request('/v1/keys', { headers }, broken)).status).toBe(200);
    expect((await app.request('/v1/keys', { method: 'POST', headers, body: '{}' }, broken)).status).toBe(503);
  });

  test('A12: a thousand bad keys from one address are stopped, and no tenant with them', async () => {
    const { key } = await newTenant();
    // The limiter forgets at the full minute.
    const left = 60_000 - (Date.now() % 60_000);
    if (left < 10_000) await new Promise((resolve) => setTimeout(resolve, left));
    const from = { 'CF-Connecting-IP': '203.0.113.7' };
    const bad = mintKey(newId('key')).text;
    const attempts = await Promise.all(
      Array.from({ length: 1000 }, () => call('GET', '/v1/keys', { key: bad, headers: from })),
    );
    const statuses = new Set(attempts.map(({ status }) => status));
    expect([...statuses].sort()).toEqual([401, 429]);
    const last = await call('GET', '/v1/keys', { key: bad, headers: from });
    expect([last.status, last.body.code, last.headers.get('Retry-After')]).toEqual([
      429,
      'too_many_bad_keys',
      '60',
    ]);
    expect((await call('GET', '/v1/keys', { key, headers: from })).status).toBe(200);
    const elsewhere = { 'CF-Connecting-IP': '203.0.113.8' };
    expect((await call('GET', '/v1/keys', { key: bad, headers: elsewhere })).status).toBe(401);
  }, 30_000);
});
