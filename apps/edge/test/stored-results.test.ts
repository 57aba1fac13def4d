import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { afterEach, describe, expect, test } from 'vitest';
import { services } from '../src/services.ts';
import {
  bindings,
  cacheKeyOf,
  call,
  explain,
  jobsTaken,
  later,
  newTenant,
  prefixOf,
  report,
  success,
  uploaded,
  workerAnswers,
  write,
} from './gateway.ts';

afterEach(() => workerAnswers(202));

const empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const viridis = { color_map: 'viridis' } as const;

describe('stored results', () => {
  /** An explanation whose four artifacts are there, each empty. */
  async function stored() {
    const { key } = await newTenant();
    const upload = (await uploaded(key)).id;
    const ask = async (body = {}) => (await explain(key, { input: { upload }, ...body })).body;
    const made = await ask();
    const [job] = await jobsTaken(cacheKeyOf(made));
    const { artifacts, ...rest } = success(job!);
    for (const { object } of artifacts) await write(object, '');
    await report(job!, { ...rest, artifacts: artifacts.map((each) => ({ ...each, sha256: empty })) });
    const computation = bindings.COMPUTATION.getByName(cacheKeyOf(made));
    /** As if the stored bytes had last been looked at long ago. */
    const distrust = async () => {
      await runInDurableObject(computation, async (_, { storage }) => {
        const retention = (await storage.get<Record<number, object>>('retention'))!;
        await storage.put('retention', { 1: { ...retention[1], checkedAt: Date.now() - 11 * minute } });
      });
      await evictDurableObject(computation);
    };
    return { key, ask, made, job: job!, computation, distrust };
  }
  const minute = 60_000;

  test('H6: what is intact stays in the cache; what has changed is noticed, discarded and computed again', async () => {
    const { key, ask, made, job, distrust } = await stored();
    await write(`${prefixOf(job)}attribution.npy`, 'x');
    expect((await ask()).cache.status).toBe('hit');
    await distrust();
    const again = await ask();
    expect([again.status, again.cache.status]).toEqual(['queued', 'miss']);
    const whole = await stored();
    await whole.distrust();
    expect((await whole.ask()).cache.status).toBe('hit');
    const old = await call('GET', made.urls.self, { key });
    expect(old.body).toMatchObject({ status: 'succeeded', expired: true, attributions: [] });
  });

  test('H6: what is gone from the store is computed again', async () => {
    const { ask, job, distrust } = await stored();
    await services(bindings).objects.delete(`${prefixOf(job)}overlay.png`);
    await distrust();
    expect((await ask()).cache.status).toBe('miss');
  });

  test('H6: of many who notice at once one starts the next computation', async () => {
    const { ask, made, job, distrust } = await stored();
    await write(`${prefixOf(job)}result.json`, 'x');
    await distrust();
    const via = await Promise.all(Array.from({ length: 10 }, () => ask()));
    expect(via.filter(({ cache }) => cache.status === 'miss')).toHaveLength(1);
    expect(via.filter(({ cache }) => cache.status === 'collapsed')).toHaveLength(9);
    expect(await jobsTaken(cacheKeyOf(made), 2)).toHaveLength(2);
  });

  test('H6: an attribution that the worker finds damaged is discarded, and the next request computes it', async () => {
    const { key, ask, made } = await stored();
    await workerAnswers(422);
    const body = { visualization: viridis };
    const refused = await call('POST', `/v1/explanations/${made.id}/render`, { key, body });
    expect([refused.status, refused.body.code]).toEqual([410, 'artifact_expired']);
    await workerAnswers(202);
    expect((await ask()).cache.status).toBe('miss');
  });

  test('H12: what is discarded is gone as a whole: nobody gets a part of it', async () => {
    const { key, ask, made, job, computation, distrust } = await stored();
    const hit = await ask();
    const urls = Object.values(hit.attributions[0]!.artifacts).map(({ url }) => url);
    await write(`${prefixOf(job)}heatmap.png`, 'x');
    await distrust();
    await ask();
    for (const url of urls) expect((await call('GET', url, { key })).status).toBe(410);
    await later(computation, minute);
    for (const name of ['overlay.png', 'heatmap.png', 'attribution.npy', 'result.json'])
      expect(await services(bindings).objects.head(prefixOf(job) + name), name).toBeNull();
    expect((await call('GET', made.urls.self, { key })).body.expired).toBe(true);
  });
});
