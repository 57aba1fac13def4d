import { expect, test, vi } from 'vitest';
import front from './store-front.ts';

const own = 'http://127.0.0.1:8787';
const object = 'http://127.0.0.1:8788/cdn-cgi/local/r2/s3/whylight/t/a';
const signed = `${object}?X-Amz-SignedHeaders=host&X-Amz-Signature=f`;
const store = vi.fn(async (_: Request) => new Response('bytes', { headers: { ETag: '"1"' } }));
const send = (url: string, method = 'GET', headers: Record<string, string> = {}) =>
  front.fetch(new Request(url, { method, headers }), {
    STORE: { fetch: store },
    ORIGINS: `${own} http://localhost:8787`,
  });
const asking = (origin: string) => ({ Origin: origin, 'Access-Control-Request-Method': 'PUT' });
const corsOf = ({ headers }: Response) => [...headers].filter(([name]) => name.startsWith('access-control-'));

test('L1: the store’s front answers nothing but the S3 path', async () => {
  for (const path of ['/', '/livez', '/v1/models', '/cdn-cgi/local/r2/public/a', '/cdn-cgi/local/r2/s3'])
    for (const headers of [{}, asking(own)])
      expect((await send(`http://127.0.0.1:8788${path}`, 'OPTIONS', headers)).status, path).toBe(404);
  expect(store).not.toHaveBeenCalled();
});

test('A15: pages of its origins may send what uploads have, and read the answer; the store is not asked beforehand', async () => {
  store.mockClear();
  const before = await send(signed, 'OPTIONS', asking(own));
  expect([before.status, Object.fromEntries(corsOf(before))]).toEqual([
    204,
    {
      'access-control-allow-origin': own,
      'access-control-allow-methods': 'GET, PUT',
      'access-control-allow-headers': 'content-type, if-none-match, x-amz-checksum-sha256',
      'access-control-max-age': '7200',
    },
  ]);
  expect(store).not.toHaveBeenCalled();
  for (const [url, status] of [
    [signed, 200],
    [object, 403],
  ] as const) {
    const answer = await send(url, 'GET', { Origin: own });
    expect([answer.status, Object.fromEntries(corsOf(answer))]).toEqual([
      status,
      { 'access-control-allow-origin': own, 'access-control-expose-headers': 'ETag' },
    ]);
    expect(answer.headers.get('vary')).toBe('Origin');
  }
});

test('A15: pages of another origin may not', async () => {
  for (const origin of ['https://evil.example', 'null', '', `${own}.evil.example`]) {
    expect(corsOf(await send(signed, 'GET', { Origin: origin })), origin).toEqual([]);
    const before = await send(object, 'OPTIONS', asking(origin));
    expect([before.status, corsOf(before)], origin).toEqual([403, []]);
  }
});

test('L11: the API key beside a signed URL is refused, and not given to the store', async () => {
  store.mockClear();
  const answer = await send(signed, 'GET', { Authorization: 'Bearer wl_live_x' });
  expect([answer.status, await answer.text()]).toEqual([403, expect.stringContaining('needs no API key')]);
  expect(store).not.toHaveBeenCalled();
});
