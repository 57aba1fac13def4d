import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { app } from '../src/app.ts';
import { api } from './documented.ts';
import { newTenant } from './gateway.ts';
import { operatorKey } from './secrets.ts';

const page = 'https://app.example';
const other = 'https://evil.example';
const opened = { ...env, CORS_ORIGINS: `${page}, http://localhost:5173` } as never;

let key: string;
beforeAll(async () => {
  ({ key } = await newTenant());
});

const send = (method: string, path: string, headers: Record<string, string>) =>
  app.request(`http://gateway.test${path}`, { method, headers }, opened);
const preflight = (path: string, origin: string, method: string, names: string) =>
  send('OPTIONS', path, {
    Origin: origin,
    'Access-Control-Request-Method': method,
    'Access-Control-Request-Headers': names,
  });
const corsOf = ({ headers }: Response): string[] =>
  [...headers.keys()].filter((name) => name.startsWith('access-control-'));

const namesIn = (list: string | null): string[] => (list ?? '').toLowerCase().split(', ');

describe('A15: pages of the origins in CORS_ORIGINS', () => {
  test('A15: may send what the document says that requests have, to every route of a tenant', async () => {
    for (const [path, item] of Object.entries(api.paths)) {
      const filled = path.replace(/\{\w+\}/g, 'x');
      const calls = Object.entries(item) as [
        string,
        { security?: object[]; parameters?: { in: string; name: string }[] },
      ][];
      for (const [method, { security = [], parameters = [] }] of calls) {
        if (!security.some((scheme) => 'apiKey' in scheme)) continue;
        const names = parameters.flatMap((each) => (each.in === 'header' ? [each.name.toLowerCase()] : []));
        const asked = [...names, 'authorization', 'content-type', 'x-api-version'];
        const response = await preflight(filled, page, method.toUpperCase(), asked.join());
        const what = `${method} ${path}`;
        expect([response.status, response.headers.get('Access-Control-Allow-Origin')], what).toEqual([
          204,
          page,
        ]);
        expect(namesIn(response.headers.get('Access-Control-Allow-Methods')), what).toContain(method);
        expect(namesIn(response.headers.get('Access-Control-Allow-Headers')), what).toEqual(
          expect.arrayContaining(asked),
        );
        expect(response.headers.has('Access-Control-Allow-Credentials'), what).toBe(false);
      }
    }
  });

  test('A15: may read answers and refusals, with their headers', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => {});
    for (const [authorization, status] of [
      [`Bearer ${key}`, 200],
      ['Bearer wrong', 401],
    ] as const) {
      const response = await send('GET', '/v1/limits', { Origin: page, Authorization: authorization });
      expect([response.status, response.headers.get('Access-Control-Allow-Origin')]).toEqual([status, page]);
      expect(namesIn(response.headers.get('Access-Control-Expose-Headers'))).toEqual(
        expect.arrayContaining([
          'location',
          'retry-after',
          'etag',
          'request-id',
          'ratelimit',
          'cache-status',
        ]),
      );
      expect(response.headers.get('Vary')).toContain('Origin');
      expect(response.headers.has('Access-Control-Allow-Credentials')).toBe(false);
    }
    vi.restoreAllMocks();
  });

  test('A15: and no other: another origin, `null`, none; nor the operator’s routes, metrics or pages', async () => {
    for (const origin of [other, 'null', `${page}.evil.example`, 'http://app.example', '*']) {
      expect(corsOf(await preflight('/v1/limits', origin, 'GET', 'authorization')), origin).toEqual([]);
      const response = await send('GET', '/v1/limits', { Origin: origin, Authorization: `Bearer ${key}` });
      expect([response.status, corsOf(response)], origin).toEqual([200, []]);
      expect(response.headers.get('Vary')).toContain('Origin');
    }
    expect(corsOf(await send('GET', '/v1/limits', { Authorization: `Bearer ${key}` }))).toEqual([]);
    for (const path of ['/v1/operator/tenants', '/metrics', '/internal/backlog', '/playground', '/']) {
      const headers = { Origin: page, Authorization: `Bearer ${operatorKey}` };
      expect(corsOf(await send('GET', path, headers)), path).toEqual([]);
      expect(corsOf(await preflight(path, page, 'GET', 'authorization')), path).toEqual([]);
    }
  });

  test('A15: are named without a path; anything else is a wrong setting', async () => {
    const said = vi.spyOn(console, 'error').mockImplementation(() => {});
    for (const wrong of ['*', 'app.example', 'https://app.example/', 'https://app.example/page']) {
      const response = await app.request('/readyz', {}, { ...env, CORS_ORIGINS: wrong } as never);
      expect([response.status, ((await response.json()) as { code: string }).code], wrong).toEqual([
        503,
        'not_configured',
      ]);
      expect(said.mock.calls.join(), wrong).toContain('CORS_ORIGINS');
      said.mockClear();
    }
    said.mockRestore();
  });
});
