import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import type { Explanation } from '@whylight/contract';
import { describe, expect, test } from 'vitest';
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
async function over(flight: DurableObjectStub): Promise<void> {
  await runInDurableObject(flight, async (_, { storage }) => {
    const shelf = (await storage.get<Record<number, object>>('shelf'))!;
    await storage.put('shelf', { 1: { ...shelf[1], until: Date.now() - 1 } });
  });
  await evictDurableObject(flight);
}

describe('retention', () => {
  test('B22: when its time is over a result goes; the explanation stays, without it, and the cache has nothing', async () => {
    const { key, ask, see } = await asking();
    const made = await ask({ retention_seconds: 7200 });
    expect(Date.parse(made.expires_at) - Date.parse(made.created_at)).toBeCloseTo(7_200_000, -3);
    const [job] = await jobsTaken(cacheKeyOf(made));
    for (const { object } of success(job!).artifacts) await write(object, 'x');
    await report(job!, success(job!));
    const flight = bindings.FLIGHT.getByName(cacheKeyOf(made));

    expect(await at(1.9 * hour, () => see(made))).toMatchObject({ expired: false, attributions: [{}] });
    expect(await at(2.1 * hour, () => see(made))).toMatchObject({
      status: 'succeeded',
      expired: true,
      attributions: [],
    });
    const picture = `${made.urls.self}/artifacts/overlay.png`;
    const gone = await at(2.1 * hour, () => call('GET', picture, { key }));
    expect([gone.status, gone.body.code]).toEqual([410, 'artifact_expired']);
    expect(await services(bindings).objects.head(`${job!.output_prefix}overlay.png`)).not.toBeNull();
    await over(flight);
    await runDurableObjectAlarm(flight);
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
    await over(bindings.FLIGHT.getByName(cacheKeyOf(made)));
    expect((await ask()).cache.status).toBe('miss');
  });

  test('a result is kept for as long as anyone of the tenant has asked for, each for its own time', async () => {
    const { ask, see } = await asking();
    const short = await ask({ retention_seconds: 3600 });
    const [job] = await jobsTaken(cacheKeyOf(short));
    await report(job!, success(job!));
    const long = await ask({ retention_seconds: 10 * 86_400 });
    expect(long.cache.status).toBe('hit');
    await later(bindings.FLIGHT.getByName(cacheKeyOf(short)), 5 * hour);
    expect((await at(5 * hour, () => see(short))).expired).toBe(true);
    expect((await at(5 * hour, () => see(long))).expired).toBe(false);
  });

  test('H2: retention, metadata and the look are no part of the question', async () => {
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

describe('abandoned uploads', () => {
  test('C9: what never came, or came otherwise, is swept after a day and counts for nothing; photos stay', async () => {
    const { id, key } = await newTenant();
    const bytes = photo();
    const ready = await uploaded(key, bytes);
    const never = await announce(key, photo());
    const wrong = await announce(key, photo());
    await put(wrong, photo());
    await bindings.DB.prepare('UPDATE uploads SET content_length = 65 WHERE id = ?').bind(wrong.id).run();
    const janitor = bindings.JANITOR.getByName(id);
    const statuses = () =>
      Promise.all(
        [ready, never, wrong].map(
          async (upload) => (await call('GET', `/v1/uploads/${upload.id}`, { key })).body.status,
        ),
      );
    expect(await statuses()).toEqual(['ready', 'pending', 'rejected']);
    await runDurableObjectAlarm(janitor);
    expect(await statuses()).toEqual(['ready', 'pending', 'rejected']);

    const swept = async () => {
      const { results } = await bindings.DB.prepare('SELECT id, swept FROM uploads WHERE tenant = ?')
        .bind(id)
        .all();
      return Object.fromEntries(results.map((row) => [row.id, row.swept]));
    };
    // The store refuses signatures of tomorrow: the rows are made a day older instead.
    await bindings.DB.prepare('UPDATE uploads SET created_at = ? WHERE tenant = ?')
      .bind(new Date(Date.now() - 25 * hour).toISOString(), id)
      .run();
    await runDurableObjectAlarm(janitor);
    expect(await swept()).toEqual({ [ready.id]: 'ready', [never.id]: 'expired', [wrong.id]: 'rejected' });
    expect(await statuses()).toEqual(['ready', 'expired', 'rejected']);
    const object = `t/${id}/u/${wrong.id.slice(4)}`;
    expect(await services(bindings).objects.head(object)).toBeNull();
    expect((await explain(key, { input: { upload: ready.id } })).status).toBe(202);
    expect((await explain(key, { input: { upload: never.id } })).status).toBe(409);
    expect((await call('GET', '/v1/usage', { key })).body.data[0].compute_units).toBe(0);
  });
});
