import { env } from 'cloudflare:workers';
import { afterEach, expect, test, vi } from 'vitest';
import { app } from '../src/app.ts';
import { cacheKeyOf, call, explain, jobsTaken, newTenant, uploaded } from './gateway.ts';

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

afterEach(() => vi.restoreAllMocks());

test('a job carries on the trace of the request that began it, below a span of the gateway', async () => {
  const { key } = await newTenant();
  const upload = (await uploaded(key)).id;
  const { body } = await explain(key, { input: { upload } }, { traceparent });
  const [job] = await jobsTaken(cacheKeyOf(body));
  expect(job!.traceparent).toMatch(/^00-4bf92f3577b34da6a3ce929d0e0e4736-[0-9a-f]{16}-01$/);
  expect(job!.traceparent).not.toBe(traceparent);
});

test('an answer says what took how long', async () => {
  const { key } = await newTenant();
  const { headers } = await call('GET', '/v1/limits', { key });
  expect(headers.get('Server-Timing')).toMatch(/^auth;dur=\d+, limit;dur=\d+, total;dur=\d+$/);
});

test('A14: the log has a line for each request, and no key, query or path in it', async () => {
  const { key } = await newTenant();
  const lines: string[] = [];
  vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line));
  const headers = { Authorization: `Bearer ${key}`, traceparent };
  const answered = await app.request('/v1/explanations/exp_secretpath?wait=1', { headers }, {
    ...env,
    REQUEST_LOG: 'on',
  } as never);
  const [line] = lines.map((text) => JSON.parse(text));
  expect(line).toMatchObject({
    event: 'request',
    request_id: answered.headers.get('Request-Id'),
    trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
    method: 'GET',
    route: '/v1/explanations/:id',
    status: 404,
  });
  expect(lines).toHaveLength(1);
  expect(lines[0]).not.toMatch(/secretpath|wait=1|Bearer/);
  expect(lines[0]).not.toContain(key);
});
