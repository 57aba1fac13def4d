import { type D1Migration, runDurableObjectAlarm } from 'cloudflare:test';
import { describe, expect, test, vi } from 'vitest';
import { services } from '../src/services.ts';
import { refreshTime } from '../src/storage/backlog.ts';
import {
  at,
  bindings,
  cacheKeyOf,
  call,
  explain,
  jobsTaken,
  newTenant,
  photo,
  report,
  success,
  uploaded,
  workerAnswers,
} from './gateway.ts';
import { announceModel, bringModel, putParts } from './own-model.ts';
import { backlogKey } from './secrets.ts';

const { backlog } = services(bindings);

/** The kinds of the rows about `key` that count. */
async function kindsOf(key: string): Promise<string[]> {
  const { results } = await bindings.DB.prepare(
    'SELECT kind FROM waiting_work WHERE key = ? AND expires_at > ? ORDER BY kind',
  )
    .bind(key, Date.now())
    .all<{ kind: string }>();
  return results.map(({ kind }) => kind);
}

const asScaler = async (): Promise<number> =>
  (await call('GET', '/internal/backlog', { key: backlogKey })).body.backlog;

describe('L4: what waits for a worker counts in the backlog', () => {
  test('by kind and key, once each, until it leaves', async () => {
    const before = await asScaler();
    const key = crypto.randomUUID();
    await backlog.enter('computation', key);
    await backlog.enter('computation', key);
    await backlog.enter('rendering', key);
    expect(await asScaler()).toBe(before + 2);
    await backlog.leave('computation', key);
    expect(await kindsOf(key)).toEqual(['rendering']);
    await backlog.leave('rendering', key);
    expect(await asScaler()).toBe(before);
  });

  test('a row whose owner is gone counts until it has missed four refreshes, and is deleted later', async () => {
    const key = crypto.randomUUID();
    await backlog.enter('validation', key);
    expect(await at(4 * refreshTime, () => kindsOf(key))).toEqual(['validation']);
    await at(4 * refreshTime, () => backlog.enter('validation', key));
    expect(await at(8 * refreshTime, () => kindsOf(key))).toEqual(['validation']);
    expect(await at(10 * refreshTime, () => kindsOf(key))).toEqual([]);
    await at(10 * refreshTime, () => backlog.prune(1_000));
    const { results } = await bindings.DB.prepare('SELECT * FROM waiting_work WHERE key = ?').bind(key).all();
    expect(results).toEqual([]);
  });

  test('rows of the release before move, those that count', async () => {
    const [waiting, old] = [crypto.randomUUID(), crypto.randomUUID()];
    const insert = bindings.DB.prepare('INSERT INTO active_computations VALUES (?, ?)');
    await insert.bind(waiting, new Date(Date.now() - 60_000).toISOString()).run();
    await insert.bind(old, new Date(Date.now() - 3_600_000).toISOString()).run();
    const { MIGRATIONS } = bindings as unknown as { MIGRATIONS: D1Migration[] };
    const { queries } = MIGRATIONS.find(({ name }) => name.startsWith('0011'))!;
    const moved = queries.find((query) => query.includes('INSERT INTO waiting_work'))!;
    await bindings.DB.prepare(moved).run();
    expect([await kindsOf(waiting), await kindsOf(old)]).toEqual([['computation'], []]);
    await backlog.leave('computation', waiting);
  });

  test('a computation, from the request to its end; its object refreshes the row', async () => {
    const { key } = await newTenant();
    const { body } = await explain(key, { input: { upload: (await uploaded(key)).id } });
    const computation = cacheKeyOf(body);
    expect(await kindsOf(computation)).toEqual(['computation']);
    const [job] = await jobsTaken(computation);
    await report(job!, { status: 'processing' });
    await at(refreshTime + 1_000, async () => {
      await backlog.leave('computation', computation);
      await report(job!, { status: 'alive' });
      await runDurableObjectAlarm(bindings.COMPUTATION.getByName(computation));
      expect(await kindsOf(computation)).toEqual(['computation']);
    });
    await report(job!, success(job!));
    expect(await kindsOf(computation)).toEqual([]);
  });

  test('a rendering that no worker takes, until one takes it', async () => {
    const { key } = await newTenant();
    const { body } = await explain(key, { input: { upload: (await uploaded(key)).id } });
    const computation = cacheKeyOf(body);
    const [job] = await jobsTaken(computation);
    await report(job!, success(job!));
    const render = () =>
      call('POST', `${body.urls.self}/render`, { key, body: { visualization: { color_map: 'viridis' } } });
    await workerAnswers(503);
    try {
      const refused = await render();
      expect([refused.status, refused.headers.get('Retry-After')]).toEqual([503, '5']);
      expect(await kindsOf(computation)).toEqual(['rendering']);
    } finally {
      await workerAnswers(202);
    }
    expect((await render()).status).toBe(200);
    expect(await kindsOf(computation)).toEqual([]);
  });

  test('a validation, from the file’s arrival until a worker has examined it', async () => {
    const { key } = await newTenant();
    const bytes = photo();
    const { body: model } = await announceModel(key, {}, bytes);
    const parts = await putParts(model, bytes);
    // The model waits for its file, and for no worker.
    expect(await kindsOf(model.id)).toEqual([]);
    const validation = bindings.MODEL_VALIDATION.getByName(model.id);
    await workerAnswers(503);
    try {
      await call('POST', model.urls.complete!, { key, body: { parts } });
      expect(await kindsOf(model.id)).toEqual(['validation']);
      await at(6 * refreshTime, async () => {
        expect(await kindsOf(model.id)).toEqual([]);
        await runDurableObjectAlarm(validation);
        expect(await kindsOf(model.id)).toEqual(['validation']);
      });
    } finally {
      await workerAnswers(202);
    }
    await runDurableObjectAlarm(validation);
    await vi.waitFor(async () => expect(await kindsOf(model.id)).toEqual([]), { timeout: 10_000 });
    expect((await call('GET', model.urls.self, { key })).body.status).toBe('ready');
  });

  test('a warm-up that no worker takes, until one takes it', async () => {
    const { key } = await newTenant();
    const { id } = await bringModel(key);
    const warm = () => call('POST', `/v1/models/${id}/warm`, { key });
    await workerAnswers(503);
    try {
      const refused = await warm();
      expect([refused.status, refused.headers.get('Retry-After')]).toEqual([503, '5']);
      expect(await kindsOf(id)).toEqual(['warm-up']);
    } finally {
      await workerAnswers(202);
    }
    expect((await warm()).status).toBe(202);
    expect(await kindsOf(id)).toEqual([]);
  });
});
