import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import type { Batch, Explanation } from '@whylight/contract';
import { describe, expect, test, vi } from 'vitest';
import { lateWrites } from '../src/domain/run.ts';
import { ulid } from '../src/domain/ulid.ts';
import { services } from '../src/services.ts';
import {
  announce,
  at,
  bindings,
  cacheKeyOf,
  call,
  explain,
  jobsTaken,
  later,
  newTenant,
  photo,
  prefixOf,
  put,
  report,
  success,
  uploaded,
  write,
} from './gateway.ts';

const hour = 3_600_000;

async function asking() {
  const { key } = await newTenant();
  const upload = (await uploaded(key)).id;
  const ask = async (body = {}): Promise<Explanation> =>
    (await explain(key, { input: { upload }, ...body })).body;
  const see = async ({ urls }: Explanation): Promise<Explanation> =>
    (await call<Explanation>('GET', urls.self, { key })).body;
  return { key, upload, ask, see };
}

/** As if the time of the first result were over. (The store refuses signatures of another day, so no clock is set.) */
async function over(computation: DurableObjectStub): Promise<void> {
  await runInDurableObject(computation, async (_, { storage }) => {
    const retention = (await storage.get<Record<number, object>>('retention'))!;
    await storage.put('retention', { 1: { ...retention[1], until: Date.now() - 1 } });
  });
  await evictDurableObject(computation);
}

describe('retention', () => {
  test('B22: when its time is over a result goes; the explanation stays, without it, and the cache has nothing', async () => {
    const { key, ask, see } = await asking();
    const made = await ask({ retention_seconds: 7200 });
    expect(Date.parse(made.expires_at) - Date.parse(made.created_at)).toBeCloseTo(7_200_000, -3);
    const [job] = await jobsTaken(cacheKeyOf(made));
    for (const { object } of success(job!).artifacts) await write(object, 'x');
    await report(job!, success(job!));
    const computation = bindings.COMPUTATION.getByName(cacheKeyOf(made));

    expect(await at(1.9 * hour, () => see(made))).toMatchObject({ expired: false, attributions: [{}] });
    expect(await at(2.1 * hour, () => see(made))).toMatchObject({
      status: 'succeeded',
      expired: true,
      attributions: [],
    });
    const picture = `${made.urls.self}/artifacts/overlay.png`;
    const gone = await at(2.1 * hour, () => call('GET', picture, { key }));
    expect([gone.status, gone.body.code]).toEqual([410, 'artifact_expired']);
    expect(await services(bindings).objects.head(`${prefixOf(job!)}overlay.png`)).not.toBeNull();
    await over(computation);
    await runDurableObjectAlarm(computation);
    await bindings.DB.prepare('UPDATE explanations SET expires_at = ? WHERE id = ?')
      .bind(new Date().toISOString(), made.id)
      .run();
    for (const { object } of success(job!).artifacts)
      expect(await services(bindings).objects.head(object)).toBeNull();
    expect(await see(made)).toMatchObject({ status: 'succeeded', expired: true });
    expect((await call('GET', picture, { key })).status).toBe(410);
    expect((await ask()).cache.status).toBe('miss');
  });

  test('B22: what is over is not served from the cache, even where the alarm is late', async () => {
    const { ask } = await asking();
    const made = await ask({ retention_seconds: 3600 });
    const [job] = await jobsTaken(cacheKeyOf(made));
    await report(job!, success(job!));
    expect((await ask()).cache.status).toBe('hit');
    await over(bindings.COMPUTATION.getByName(cacheKeyOf(made)));
    expect((await ask()).cache.status).toBe('miss');
  });

  test('a result is kept for as long as anyone of the tenant has asked for, each for its own time', async () => {
    const { ask, see } = await asking();
    const short = await ask({ retention_seconds: 3600 });
    const [job] = await jobsTaken(cacheKeyOf(short));
    await report(job!, success(job!));
    const long = await ask({ retention_seconds: 10 * 86_400 });
    expect(long.cache.status).toBe('hit');
    await later(bindings.COMPUTATION.getByName(cacheKeyOf(short)), 5 * hour);
    expect((await at(5 * hour, () => see(short))).expired).toBe(true);
    expect((await at(5 * hour, () => see(long))).expired).toBe(false);
  });

  test('H2: retention, metadata and the style are no part of the question', async () => {
    const { ask } = await asking();
    const plain = await ask();
    const other = await ask({ retention_seconds: 4000, metadata: { a: 'b' }, output: { visualization: {} } });
    expect(other.cache).toEqual({ status: 'collapsed', key: plain.cache.key });
    expect(other.metadata).toEqual({ a: 'b' });
  });

  test.each([
    [{ retention_seconds: 3599 }, '/retention_seconds'],
    [{ retention_seconds: 31_536_001 }, '/retention_seconds'],
    [{ metadata: { a: 1 } }, '/metadata/a'],
    [{ metadata: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, ''])) }, '/metadata'],
  ])('%j is refused', async (body, pointer) => {
    const { ask } = await asking();
    const refused = (await ask(body)) as unknown as { status: number; errors: { pointer: string }[] };
    expect([refused.status, refused.errors[0]!.pointer]).toEqual([400, pointer]);
  });
});

describe('rows whose time is over', () => {
  const daysAgo = (days: number) => Date.now() - days * 24 * hour;
  const round = async (tenant: string) =>
    expect(await runDurableObjectAlarm(bindings.TENANT_CLEANUP.getByName(tenant))).toBe(true);
  const expired = ({ id }: Explanation, days: number) =>
    bindings.DB.prepare('UPDATE explanations SET expires_at = ? WHERE id = ?')
      .bind(new Date(daysAgo(days)).toISOString(), id)
      .run();

  test('explanations go long after their results; usage and what others rest on stay', async () => {
    const { id: tenant, key } = await newTenant();
    const upload = (await uploaded(key)).id;
    const ask = async (body = {}): Promise<Explanation> =>
      (await explain(key, { input: { upload }, ...body })).body;
    const owner = await ask();
    const [job] = await jobsTaken(cacheKeyOf(owner));
    await report(job!, success(job!));
    const [early, late] = [await ask(), await ask({ retention_seconds: 10 * 86_400 })];
    expect([early.cache.status, late.cache.status]).toEqual(['hit', 'hit']);
    const failed = await ask({ method: 'saliency' });
    const [lost] = await jobsTaken(cacheKeyOf(failed));
    const error = { code: 'non_finite_output', message: 'NaN.', retryable: false };
    await report(lost!, { status: 'failed', error });
    const recent = await ask({ method: 'occlusion' });
    const listed = async () =>
      (await call('GET', '/v1/explanations', { key })).body.data.map(({ id }: Explanation) => id);
    const usage = async () => (await call('GET', '/v1/usage', { key })).body.data[0].explanations;
    const used = await usage();

    for (const old of [owner, early, failed]) await expired(old, 91);
    await expired(recent, 89);
    await round(tenant);
    expect(await listed()).toEqual([recent.id, late.id, owner.id]);
    expect((await call('GET', early.urls.self, { key })).status).toBe(404);
    expect(await usage()).toBe(used);

    for (const { object } of success(job!).artifacts) await write(object, 'x');
    expect((await call('DELETE', owner.urls.self, { key })).status).toBe(204);
    for (const { object } of success(job!).artifacts)
      expect(await services(bindings).objects.head(object)).toBeNull();
    await expired(late, 91);
    await round(tenant);
    expect(await listed()).toEqual([recent.id]);
  });

  test('so do uploads that never came, and what the backlog has forgotten', async () => {
    const { id: tenant, key } = await newTenant();
    await uploaded(key);
    const made = (id: string, swept: string, days: number) =>
      bindings.DB.prepare(
        "INSERT INTO uploads SELECT ?1, tenant, 'none', content_type, 1, '', created_at, ?2 FROM uploads WHERE tenant = ?3 LIMIT 1",
      )
        .bind(`upl_${ulid(daysAgo(days)).slice(0, 10)}${id}`, swept, tenant)
        .run();
    await made('old', 'expired', 91);
    await made('young', 'expired', 89);
    await made('photo', 'ready', 91);
    await bindings.DB.prepare("INSERT INTO waiting_work VALUES ('computation', 'forgotten', ?)")
      .bind(daysAgo(1))
      .run();
    await round(tenant);
    const { results } = await bindings.DB.prepare(
      "SELECT id FROM uploads WHERE tenant = ? AND object = 'none'",
    )
      .bind(tenant)
      .all<{ id: string }>();
    expect(results.map(({ id }) => id.slice(14)).toSorted()).toEqual(['photo', 'young']);
    const forgotten = bindings.DB.prepare("SELECT 1 FROM waiting_work WHERE key = 'forgotten'");
    expect(await forgotten.first()).toBeNull();
  });

  test('what a computation and a batch know goes too, once nobody can ask for it any more', async () => {
    const { id: tenant, key } = await newTenant();
    const item = { input: { upload: (await uploaded(key)).id }, method: 'grad-cam' };
    const { body } = await call<Batch>('POST', '/v1/batches', { key, body: { items: [item] } });
    const made = await vi.waitFor(
      async () => {
        const { data } = (await call('GET', '/v1/explanations', { key })).body;
        expect(data).toHaveLength(1);
        return data[0] as Explanation;
      },
      { timeout: 20_000, interval: 50 },
    );
    const [job] = await jobsTaken(cacheKeyOf(made));
    const error = { code: 'non_finite_output', message: 'NaN.', retryable: false };
    await report(job!, { status: 'failed', error });
    const batch = bindings.BATCH.getByName(`${tenant}/${body.id}`);
    const computation = bindings.COMPUTATION.getByName(cacheKeyOf(made));
    // What a late worker might have left behind is deleted first.
    await later(computation, lateWrites + 1_000);
    const left = (stub: DurableObjectStub) =>
      runInDurableObject(stub, async (_, { storage }) => (await storage.list()).size);
    for (const [stub, days] of [
      [batch, 90],
      [computation, 30 + 90 + 30],
    ] as const) {
      await later(stub, (days - 1) * 24 * hour);
      expect(await left(stub)).toBeGreaterThan(0);
      await later(stub, (days + 1) * 24 * hour);
      expect(await left(stub)).toBe(0);
    }
    expect((await call('GET', `/v1/batches/${body.id}`, { key })).status).toBe(404);
  });

  test('audit events go after a year, so many at a time, whosever they are', async () => {
    const { id: tenant, key } = await newTenant();
    const { id: dormant } = await newTenant();
    await uploaded(key);
    const [old, young] = [ulid(daysAgo(366)).slice(0, 10), ulid(daysAgo(364)).slice(0, 10)];
    await bindings.DB.prepare(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 510)
       INSERT INTO audit_events SELECT 'evt_' || iif(i > 505, ?1, ?2) || printf('%016d', i), ?3, 'key', 'POST /', NULL, 'done', 'req', '' FROM n`,
    )
      .bind(young, old, dormant)
      .run();
    const count = () =>
      bindings.DB.prepare("SELECT count(*) AS n FROM audit_events WHERE tenant = ? AND request_id = 'req'")
        .bind(dormant)
        .first('n');
    await round(tenant);
    expect(await count()).toBe(10);
    await round(tenant);
    expect(await count()).toBe(5);
    expect((await call('GET', '/v1/audit_events', { key })).body.data).not.toHaveLength(0);
  });
});

describe('abandoned uploads', () => {
  test('C9: after a day what never came, or came otherwise, has its final status and counts for nothing; photos stay', async () => {
    const { id, key } = await newTenant();
    const bytes = photo();
    const ready = await uploaded(key, bytes);
    const never = await announce(key, photo());
    const wrong = await announce(key, photo());
    await put(wrong, photo());
    await bindings.DB.prepare('UPDATE uploads SET content_length = 65 WHERE id = ?').bind(wrong.id).run();
    const cleanup = bindings.TENANT_CLEANUP.getByName(id);
    const statuses = () =>
      Promise.all(
        [ready, never, wrong].map(
          async (upload) => (await call('GET', `/v1/uploads/${upload.id}`, { key })).body.status,
        ),
      );
    expect(await statuses()).toEqual(['ready', 'pending', 'rejected']);
    await runDurableObjectAlarm(cleanup);
    expect(await statuses()).toEqual(['ready', 'pending', 'rejected']);

    const finalStatuses = async () => {
      const { results } = await bindings.DB.prepare('SELECT id, swept FROM uploads WHERE tenant = ?')
        .bind(id)
        .all();
      return Object.fromEntries(results.map((row) => [row.id, row.swept]));
    };
    // The store refuses signatures of tomorrow: the rows are made a day older instead.
    await bindings.DB.prepare('UPDATE uploads SET created_at = ? WHERE tenant = ?')
      .bind(new Date(Date.now() - 25 * hour).toISOString(), id)
      .run();
    await runDurableObjectAlarm(cleanup);
    expect(await finalStatuses()).toEqual({
      [ready.id]: 'ready',
      [never.id]: 'expired',
      [wrong.id]: 'rejected',
    });
    expect(await statuses()).toEqual(['ready', 'expired', 'rejected']);
    const object = `t/${id}/u/${wrong.id.slice(4)}`;
    expect(await services(bindings).objects.head(object)).toBeNull();
    expect((await explain(key, { input: { upload: ready.id } })).status).toBe(202);
    expect((await explain(key, { input: { upload: never.id } })).status).toBe(409);
    expect((await call('GET', '/v1/usage', { key })).body.data[0].compute_units).toBe(0);
  });
});
