import { runDurableObjectAlarm } from 'cloudflare:test';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { services } from '../src/services.ts';
import { Catalogs } from '../src/storage/catalogs.ts';
import { bindings, call, newTenant, photo, predicted, report, uploaded } from './gateway.ts';
import { hideWorkers, isWaiting, waitingForCatalog } from './hidden-workers.ts';
import { bringModel } from './own-model.ts';

const { hidden, withWorker } = hideWorkers();

let tenant: string;
let key: string;
let upload: string;
beforeEach(async () => {
  ({ id: tenant, key } = await newTenant());
  upload = (await uploaded(key)).id;
});

describe('L4: before any worker has started', () => {
  test('a prediction waits, counts once, and is told to come again; then it is given', async () => {
    const predict = (wait: number) =>
      call('POST', '/v1/predictions', {
        key,
        body: { input: { upload } },
        headers: { Prefer: `wait=${wait}` },
      });
    const before = await waitingForCatalog();
    const refused = [await predict(1), await predict(0)];
    for (const { status, headers, body } of refused)
      expect([status, headers.get('Retry-After'), body.code]).toEqual([503, '5', 'capacity']);
    const added = (await waitingForCatalog()).filter((waiting) => !before.includes(waiting));
    expect(added).toHaveLength(1);

    let looks = 0;
    const known = await services(bindings).worker.catalog();
    hidden().mockImplementation(async () => (looks++ ? known : null));
    const answer = predict(30);
    const { sha256 } = (await call('GET', `/v1/uploads/${upload}`, { key })).body;
    const jobs = await vi.waitFor(
      async () => {
        const taken = await (await fetch(`${bindings.WORKER_URL}/taken?image=${sha256}`)).json();
        expect(taken).not.toEqual([]);
        return taken as Parameters<typeof report>[0][];
      },
      { timeout: 20_000, interval: 50 },
    );
    await report(jobs[0]!, predicted(jobs[0]!));
    expect((await answer).status).toBe(200);
    expect(looks).toBeGreaterThan(1);
    expect(await waitingForCatalog()).not.toContain(added[0]);
  });

  test('a batch waits as a whole and counts once', async () => {
    const items = [0, 1].map((class_index) => ({
      input: { upload },
      method: 'grad-cam',
      target: { class_index },
    }));
    const { id } = (await call('POST', '/v1/batches', { key, body: { items } })).body;
    await vi.waitFor(async () => expect(await isWaiting(id)).toBe(true), { timeout: 10_000 });
    await withWorker(() => runDurableObjectAlarm(bindings.BATCH.getByName(`${tenant}/${id}`)));
    expect((await call('GET', `/v1/batches/${id}`, { key })).body.counts).toMatchObject({ queued: 2 });
    expect(await isWaiting(id)).toBe(false);
  });

  test('methods are listed, and of models the tenant’s own', async () => {
    const own = await bringModel(key);
    expect((await call('GET', '/v1/methods', { key })).status).toBe(200);
    const { data } = (await call('GET', '/v1/models', { key })).body;
    expect(data.map(({ id }: { id: string }) => id)).toEqual([own.id]);
    expect((await call('GET', '/v1/methods?model=mine', { key })).status).toBe(200);
    for (const path of ['/v1/methods?model=shapes', '/v1/models/shapes']) {
      const { status, headers } = await call('GET', path, { key });
      expect([status, headers.get('Retry-After')]).toEqual([503, '5']);
    }
  });

  test('a request in KServe’s form waits for the worker', async () => {
    let looks = 0;
    const known = await services(bindings).worker.catalog();
    hidden().mockImplementation(async () => (looks++ ? known : null));
    const png = photo();
    png.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
    const body = {
      instances: [{ b64: btoa(String.fromCharCode(...png)) }],
      parameters: { method: 'grad-can' },
    };
    const path = '/v1/compat/kserve/v1/models/shapes:explain';
    const answer = await call('POST', path, { key, body });
    expect([answer.status, answer.body.code, looks > 1]).toEqual([400, 'invalid_parameter', true]);
  });
});

describe('L4: a catalog', () => {
  beforeEach(() => hidden().mockRestore());

  const none = {
    catalog: async () => {
      throw new Error('no worker');
    },
  } as never;
  const noWorkers = () => ({ read: async () => ({ count: 0, catalog: null }) });

  test('survives the gateway’s restart, while no worker is there', async () => {
    const { worker, workerRegistry } = services(bindings);
    const known = await new Catalogs(bindings.DB, worker, workerRegistry).find();
    expect(await new Catalogs(bindings.DB, none, noWorkers).find()).toEqual(known);
  });

  test('is null for a gateway that has never seen a worker, which asks again each time', async () => {
    const stored = await bindings.DB.prepare('SELECT * FROM catalog').first<{
      body: string;
      seen_at: string;
    }>();
    await bindings.DB.prepare('DELETE FROM catalog').run();
    try {
      const catalogs = new Catalogs(bindings.DB, none, noWorkers);
      expect(await catalogs.find()).toBeNull();
      await expect(catalogs.get()).rejects.toMatchObject({ code: 'capacity' });
      await services(bindings).catalogs.find();
      const { body, seen_at } = stored!;
      await bindings.DB.prepare('INSERT OR REPLACE INTO catalog VALUES (1, ?, ?)').bind(body, seen_at).run();
      expect(await catalogs.find()).not.toBeNull();
    } finally {
      const { body, seen_at } = stored!;
      await bindings.DB.prepare('INSERT OR REPLACE INTO catalog VALUES (1, ?, ?)').bind(body, seen_at).run();
    }
  });
});
