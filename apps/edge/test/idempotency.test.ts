import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { sha256Hex } from '@whylight/contract';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { lockTime, type Reservation, replayTime } from '../src/domain/idempotency.ts';
import type { ComputationPort } from '../src/domain/ports.ts';
import { Explanations } from '../src/storage/explanations.ts';
import {
  type Answer,
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

const codeOf = (answer: Answer<unknown>): [number, string] => [
  answer.status,
  (answer.body as { code: string }).code,
];
const listed = async (key: string): Promise<unknown[]> =>
  (await call('GET', '/v1/explanations', { key })).body.data;

describe('Idempotency-Key', () => {
  let tenant: { id: string; key: string };
  let upload: string;
  const ask = (name: string, body = {}, headers = {}) =>
    explain(tenant.key, { input: { upload }, ...body }, { 'Idempotency-Key': name, ...headers });
  const storeOf = async (name: string) =>
    bindings.IDEMPOTENCY.getByName(
      await sha256Hex(JSON.stringify([tenant.id, 'POST', '/v1/explanations', name])),
    );

  beforeAll(async () => {
    tenant = await newTenant();
    upload = (await uploaded(tenant.key)).id;
  });

  test('B1: the same request again gets the same bytes, says so, and makes nothing', async () => {
    const first = await ask('b1', { target: { class_index: 1 } });
    const before = (await listed(tenant.key)).length;
    const [job] = await jobsTaken(cacheKeyOf(first.body));
    await report(job!, success(job!));
    const again = await ask('b1', { target: { class_index: 1 } });
    expect([again.status, again.text]).toEqual([first.status, first.text]);
    expect([first, again].map(({ headers }) => headers.get('Idempotent-Replayed'))).toEqual([null, 'true']);
    for (const name of ['Location', 'Cache-Status', 'Content-Type'])
      expect(again.headers.get(name)).toBe(first.headers.get(name));
    expect(again.headers.get('Request-Id')).not.toBe(first.headers.get('Request-Id'));
    expect(await listed(tenant.key)).toHaveLength(before);
    expect((await call('GET', again.headers.get('Location')!, { key: tenant.key })).body.status).toBe(
      'succeeded',
    );
  });

  test('B1: order and white space of the body do not matter', async () => {
    const spelled = `{ "method": "grad-cam",\n "input": {"upload": "${upload}"}, "language": "zh" }`;
    const headers = { 'Idempotency-Key': 'b1-order' };
    const first = await ask('b1-order', { language: 'zh' });
    const again = await call('POST', '/v1/explanations', { key: tenant.key, body: spelled, headers });
    expect(again.text).toBe(first.text);
  });

  test('B2: the same key with another body is refused', async () => {
    await ask('b2');
    expect(codeOf(await ask('b2', { language: 'zh' }))).toEqual([422, 'idempotency_key_reused']);
  });

  test('B3: of many requests at once one is carried out', async () => {
    const body = { target: { class_index: 3 } };
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask('b3', body)));
    const made = answers.filter(({ status }) => status === 202);
    expect(made.length).toBeGreaterThan(0);
    expect(new Set(made.map(({ text }) => text)).size).toBe(1);
    expect(made.filter(({ headers }) => !headers.has('Idempotent-Replayed'))).toHaveLength(1);
    for (const other of answers.filter(({ status }) => status !== 202)) {
      expect(codeOf(other)).toEqual([409, 'idempotency_in_progress']);
      expect(other.headers.get('Retry-After')).toBe('1');
    }
    expect(await jobsTaken(cacheKeyOf(made[0]!.body))).toHaveLength(1);
  });

  test('B4: a request whose gateway died before it answered is taken up again, as the same job', async () => {
    const body = { target: { class_index: 4 } };
    const first = await ask('b4', body);
    const store = await storeOf('b4');
    await runInDurableObject(store, async (_, { storage }) => {
      const reservation = (await storage.get<object>('reservation'))!;
      await storage.put('reservation', { ...reservation, answer: null });
    });
    const before = await listed(tenant.key);
    expect(codeOf(await ask('b4', body))).toEqual([409, 'idempotency_in_progress']);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + lockTime + 1 });
    const again = await ask('b4', body).finally(() => vi.useRealTimers());
    expect([again.status, again.body.id, again.body.cache]).toEqual([202, first.body.id, first.body.cache]);
    expect(await listed(tenant.key)).toHaveLength(before.length);
    expect(await jobsTaken(cacheKeyOf(first.body))).toHaveLength(1);
  });

  test('B4, B8: a request that failed on our side is taken up with the same id; another body makes the key a new one', async () => {
    const { id: tenant, key } = await newTenant();
    const upload = (await uploaded(key)).id;
    const ask = (name: string, index = 0) =>
      explain(key, { input: { upload }, target: { class_index: index } }, { 'Idempotency-Key': name });
    const { create } = Explanations.prototype;
    let away = false;
    const down = vi.spyOn(Explanations.prototype, 'create').mockImplementation(function (
      this: Explanations,
      row,
      photo,
    ) {
      // Others' batches may be looking for a place at the same time.
      if (away && row.tenant === tenant) return Promise.reject(new Error('D1_ERROR: the database is away'));
      return create.call(this, row, photo);
    });
    const failing = async (name: string) => {
      away = true;
      expect(codeOf(await ask(name))).toEqual([503, 'capacity']);
      away = false;
    };
    try {
      await failing('b4-failed');
      const again = await ask('b4-failed');
      const computation = bindings.COMPUTATION.getByName(
        cacheKeyOf(again.body),
      ) as unknown as ComputationPort;
      const { waiters } = (await computation.watch(1, '', null, 0))!;
      expect(Object.keys(waiters)).toEqual([again.body.id]);
      await failing('b8-failed');
      expect((await ask('b8-failed', 1)).status).toBe(202);
    } finally {
      down.mockRestore();
    }
  });

  test('B5: a key that is empty, too long or not printable is refused', async () => {
    for (const name of ['', 'x'.repeat(256), 'tab\there'])
      expect(codeOf(await ask(name))).toEqual([400, 'invalid_parameter']);
    expect((await ask('x'.repeat(255))).status).toBe(202);
  });

  test('B6: the keys of two tenants have nothing to do with each other', async () => {
    const other = await newTenant();
    const theirs = (await uploaded(other.key)).id;
    const [mine, foreign] = [
      await ask('b6'),
      await explain(other.key, { input: { upload: theirs } }, { 'Idempotency-Key': 'b6' }),
    ];
    expect([mine.status, foreign.status]).toEqual([202, 202]);
    expect(foreign.body.id).not.toBe(mine.body.id);
  });

  test('B7: after a day the key is free, and nothing of it is kept', async () => {
    const first = await ask('b7');
    const store = await storeOf('b7');
    await runInDurableObject(store, async (_, { storage }) => {
      const reservation = (await storage.get<Reservation>('reservation'))!;
      expect(Math.abs(reservation.expiresAt - Date.now() - replayTime)).toBeLessThan(60_000);
      await storage.put('reservation', { ...reservation, expiresAt: Date.now() });
    });
    const next = await ask('b7', { language: 'zh' });
    expect(next.status).toBe(202);
    expect(next.body.id).not.toBe(first.body.id);
    expect(await runDurableObjectAlarm(store)).toBe(true);
    expect(await runInDurableObject(store, (_, { storage }) => storage.get('reservation'))).toBeUndefined();
  });

  test('B8: what was declined before anything was done is not kept', async () => {
    expect((await ask('b8', { method: 'grad-can' })).status).toBe(400);
    expect((await ask('b8', { input: { sha256: '0'.repeat(64) } })).status).toBe(404);
    expect((await ask('b8')).status).toBe(202);
  });
});
