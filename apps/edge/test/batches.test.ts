import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import type { Batch, Explanation } from '@whylight/contract';
import { describe, expect, test, vi } from 'vitest';
import { bindings, cacheKeyOf, call, jobsTaken, newTenant, report, success, uploaded } from './gateway.ts';
import { operatorKey } from './secrets.ts';

async function asking(limits: object = {}) {
  const { id: tenant, key } = await newTenant();
  await call('PUT', `/v1/operator/tenants/${tenant}/limits`, { key: operatorKey, body: limits });
  const upload = (await uploaded(key)).id;
  const item = (class_index: number, more: object = {}) => ({
    input: { upload },
    method: 'grad-cam',
    target: { class_index },
    ...more,
  });
  const ask = (items: object[], headers = {}) =>
    call<Batch>('POST', '/v1/batches', { key, body: { items }, headers });
  const see = async ({ id }: { id: string }): Promise<Batch> =>
    (await call<Batch>('GET', `/v1/batches/${id}`, { key })).body;
  const until = (batch: Batch, what: (batch: Batch) => void): Promise<Batch> =>
    vi.waitFor(
      async () => {
        const now = await see(batch);
        what(now);
        return now;
      },
      { timeout: 20_000, interval: 50 },
    );
  const finish = async (id: string): Promise<void> => {
    const made = (await call<Explanation>('GET', `/v1/explanations/${id}`, { key })).body;
    const [job] = await jobsTaken(cacheKeyOf(made));
    expect((await report(job!, success(job!))).status).toBe(204);
  };
  const alarm = ({ id }: Batch) => runDurableObjectAlarm(bindings.BATCH.getByName(`${tenant}/${id}`));
  return { tenant, key, item, ask, see, until, finish, alarm };
}
const explanations = ({ items }: Batch): string[] => items.flatMap(({ explanation }) => explanation ?? []);

describe('batches', () => {
  test('are ordinary explanations, each of which is asked for, billed and cached as such', async () => {
    const { key, item, ask, until, finish } = await asking();
    const begun = await ask([item(0), item(1), item(0)]);
    expect([begun.status, begun.body.status, begun.headers.get('Location')]).toEqual([
      202,
      'processing',
      `/v1/batches/${begun.body.id}`,
    ]);
    const made = await until(begun.body, ({ counts }) => expect(counts.queued).toBe(3));
    const [first, second, third] = explanations(made);
    const statuses = await Promise.all(
      [first, third].map(
        async (id) => (await call('GET', `/v1/explanations/${id}`, { key })).body.cache.status,
      ),
    );
    expect(statuses.toSorted()).toEqual(['collapsed', 'miss']);
    await finish(first!);
    await finish(second!);
    const done = await until(begun.body, ({ status }) => expect(status).toBe('completed'));
    expect(done.counts).toMatchObject({ total: 3, succeeded: 3, queued: 0, refused: 0 });
    const [today] = (await call('GET', '/v1/usage', { key })).body.data;
    expect(today).toMatchObject({ explanations: 2, compute_units: 2 });
    expect((await call('GET', '/v1/explanations', { key })).body.data).toHaveLength(3);
  });

  test('a bad item fails alone, and says what is wrong with which of its members', async () => {
    const { item, ask, until, finish } = await asking();
    const wrong = [
      { method: 'grad-cam' },
      item(0, { method: 'grad-can' }),
      item(99),
      item(0, { modle: 'shapes' }),
      item(0, { input: { upload: `upl_${'0'.repeat(26)}` } }),
    ];
    const { body } = await ask([...wrong, item(3)]);
    const seen = await until(body, ({ counts }) => expect([counts.refused, counts.queued]).toEqual([5, 1]));
    expect(seen.items.map(({ error }) => [error?.code, error?.errors?.[0]?.pointer])).toEqual([
      ['invalid_parameter', '/items/0/input'],
      ['invalid_parameter', '/method'],
      ['target_out_of_range', '/target/class_index'],
      ['unknown_field', '/items/3/modle'],
      ['resource_not_found', undefined],
      [undefined, undefined],
    ]);
    await finish(explanations(seen)[0]!);
    expect((await until(body, ({ status }) => expect(status).toBe('completed'))).counts).toMatchObject({
      refused: 5,
      succeeded: 1,
    });
  });

  test('what finds no place within the tenant’s limits waits for one', async () => {
    const { item, ask, until, finish, alarm } = await asking({ concurrency: 2 });
    const { body } = await ask([0, 1, 2, 3, 4].map((index) => item(index)));
    const first = await until(body, ({ counts }) => expect([counts.queued, counts.waiting]).toEqual([2, 3]));
    for (const id of explanations(first)) await finish(id);
    await alarm(body);
    const second = await until(body, ({ counts }) =>
      expect([counts.succeeded, counts.queued]).toEqual([2, 2]),
    );
    expect(second.counts.waiting).toBe(1);
  });

  test('what waits looks for a place less and less often, and at once again when there was one', async () => {
    const { tenant, item, ask, until, alarm } = await asking({ concurrency: 0 });
    const { body } = await ask([item(0)]);
    const stub = bindings.BATCH.getByName(`${tenant}/${body.id}`);
    const pause = () =>
      runInDurableObject(stub, async (_, { storage }) => (await storage.getAlarm())! - Date.now());
    await until(body, ({ counts }) => expect(counts.waiting).toBe(1));
    for (let round = 0; round < 8; round++) await alarm(body);
    expect(await pause()).toBeGreaterThan(20_000);
  });

  test('G1, G6: so many batches may wait and no more; one that is placed or canceled leaves room', async () => {
    const { tenant, key, item, ask, until } = await asking({ concurrency: 1, batches: 2 });
    const waiting = async () => (await call('GET', '/v1/limits', { key })).body.batches.in_use;
    const headers = { 'Idempotency-Key': crypto.randomUUID() };
    const first = (await ask([item(0), item(1)], headers)).body;
    await until(first, ({ counts }) => expect(counts.queued).toBe(1));
    const second = (await ask([item(2)])).body;
    const refused = await ask([item(3)]);
    expect([refused.status, refused.body]).toMatchObject([
      429,
      {
        code: 'concurrency_limited',
        'violated-policies': ['batches'],
        detail: expect.stringContaining('limit: 2.'),
      },
    ]);
    expect(refused.headers.get('Retry-After')).toBe('1');
    expect((await ask([item(0), item(1)], headers)).body.id).toBe(first.id);
    expect(await waiting()).toBe(2);

    await call('POST', second.urls.cancel, { key });
    await vi.waitFor(async () => expect(await waiting()).toBe(1), { timeout: 20_000 });
    expect((await ask([item(3)])).status).toBe(202);
    const limits = `/v1/operator/tenants/${tenant}/limits`;
    await call('PUT', limits, { key: operatorKey, body: { concurrency: 10 } });
    await until(first, ({ counts }) => expect(counts.waiting).toBe(0));
    await vi.waitFor(async () => expect(await waiting()).toBe(0), { timeout: 20_000 });
  });

  test('what would cost more than the day’s units is refused by name', async () => {
    const { item, ask, until } = await asking({ compute_units: 1 });
    const { body } = await ask([item(0), item(1)]);
    const seen = await until(body, ({ counts }) => expect(counts.refused).toBe(1));
    expect(seen.items.find(({ error }) => error)!.error).toMatchObject({
      code: 'quota_exceeded',
      retryable: true,
    });
  });

  test('cancelling gives up what waits and what runs, and leaves what has ended', async () => {
    const { key, item, ask, until, finish, alarm, see } = await asking({ concurrency: 2 });
    const { body } = await ask([0, 1, 2].map((index) => item(index)));
    const begun = await until(body, ({ counts }) => expect(counts.queued).toBe(2));
    await finish(explanations(begun)[0]!);
    const canceled = await call<Batch>('POST', body.urls.cancel, { key });
    expect([canceled.status, canceled.body.status]).toEqual([200, 'canceled']);
    expect(canceled.body.counts).toMatchObject({ succeeded: 1, canceled: 2, waiting: 0 });
    await alarm(body);
    expect((await see(body)).counts).toMatchObject({ succeeded: 1, canceled: 2 });
    expect((await call('GET', '/v1/explanations', { key })).body.data).toHaveLength(2);
    const again = await call<Batch>('POST', body.urls.cancel, { key });
    expect([again.status, again.body.status]).toEqual([200, 'canceled']);
  });

  test('B1: the same request with the same Idempotency-Key is the same batch', async () => {
    const { key, item, ask, until } = await asking();
    const headers = { 'Idempotency-Key': crypto.randomUUID() };
    const [first, second] = [await ask([item(0)], headers), await ask([item(0)], headers)];
    expect([second.headers.get('Idempotent-Replayed'), second.text]).toEqual(['true', first.text]);
    await until(first.body, ({ counts }) => expect(counts.queued).toBe(1));
    expect((await call('GET', '/v1/explanations', { key })).body.data).toHaveLength(1);
    expect((await ask([item(1)], headers)).status).toBe(422);
  });

  test('none, too many, or what is no list is refused as a whole', async () => {
    const { key, item, ask } = await asking();
    expect((await ask([])).status).toBe(400);
    expect((await ask(Array.from({ length: 101 }, () => item(0)))).status).toBe(400);
    expect((await call('POST', '/v1/batches', { key, body: { items: item(0) } })).status).toBe(400);
    const hundred = await ask(Array.from({ length: 100 }, (_, index) => item(index % 5)));
    expect([hundred.status, hundred.body.counts.total]).toEqual([202, 100]);
  });
});
