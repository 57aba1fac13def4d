import { expect, test } from 'vitest';
import {
  bindings,
  cacheKeyOf,
  call,
  explain,
  jobsTaken,
  newTenant,
  report,
  success,
  uploaded,
} from './gateway.ts';
import { backlogKey, operatorKey } from './secrets.ts';

const read = async (): Promise<Map<string, number>> => {
  const { text } = await call('GET', '/metrics', { key: backlogKey });
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
};

test('the metrics count what waits, what was asked and how it was answered, and name no tenant', async () => {
  const { id: tenant, key } = await newTenant();
  const input = { upload: (await uploaded(key)).id };
  const before = await read();
  const { body } = await explain(key, { input });
  const since = async (name: string) => (await read()).get(name)! - before.get(name)!;
  expect(await since('whylight_backlog')).toBe(1);
  const [job] = await jobsTaken(cacheKeyOf(body));
  await report(job!, success(job!));
  await explain(key, { input });
  expect(await since('whylight_backlog')).toBe(0);
  expect(await since('whylight_explanations_last_hour{cache="miss"}')).toBe(1);
  expect(await since('whylight_explanations_last_hour{cache="hit"}')).toBe(1);
  expect((await read()).get('whylight_worker_seen_timestamp_seconds')).toBeGreaterThan(
    Date.now() / 1000 - 600,
  );
  const { text, headers } = await call('GET', '/metrics', { key: operatorKey });
  expect(text).not.toContain(tenant);
  expect(headers.get('Content-Type')).toContain('text/plain; version=0.0.4');
  for (const line of text.trimEnd().split('\n'))
    expect(line).toMatch(/^(# (HELP|TYPE) whylight_\w+ .+|whylight_\w+(\{\w+="\w+"\})? \d+)$/);
});

test('what is older than an hour is not counted', async () => {
  const { id: tenant } = await newTenant();
  const insert = bindings.DB.prepare(
    "INSERT INTO explanations (id, tenant, key, run, cache_status, model_name, request_id, created_at) VALUES (?, ?, 'k', 1, 'bypass', 'm', 'r', '')",
  );
  const name = 'whylight_explanations_last_hour{cache="bypass"}';
  const before = (await read()).get(name)!;
  await insert.bind(`exp_${'0'.repeat(26)}`, tenant).run();
  expect((await read()).get(name)).toBe(before);
});

test('A16: the metrics are for the scaler’s key and the operator’s, and for no tenant’s', async () => {
  const { key } = await newTenant();
  expect((await call('GET', '/metrics', { key })).status).toBe(401);
  expect((await call('GET', '/metrics')).status).toBe(401);
});
