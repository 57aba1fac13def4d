import type { Model } from '@whylight/contract';
import { describe, expect, test, vi } from 'vitest';
import { newId } from '../src/domain/ulid.ts';
import { services } from '../src/services.ts';
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
  workerAnswers,
} from './gateway.ts';
import { announceModel, bringModel } from './own-model.ts';

const withoutIds = (text: string): string => text.replace(/(req|mdl)_\w+/g, '$1_');

describe('a model of one’s own', () => {
  test('E6: a method that does not work on it is refused before anything is computed, with what stands in its way', async () => {
    const { key } = await newTenant();
    await bringModel(key);
    const { status, body } = await explain(key, {
      ...{ input: { upload: (await uploaded(key)).id }, model: 'mine', method: 'saliency' },
    });
    expect([status, body]).toMatchObject([
      422,
      {
        code: 'method_not_supported',
        detail:
          'saliency does not work on mine: no derivative rule for Hardmax: node "odd". These methods need no gradients: occlusion.',
        errors: [{ pointer: '/method' }],
      },
    ]);
    const { body: list } = await call('GET', '/v1/methods?model=mine', { key });
    const saliency = list.data.find(({ id }: { id: string }) => id === 'saliency');
    expect(saliency).toMatchObject({
      ...{ works: false, reason: 'no derivative rule for Hardmax: node "odd"', requires: ['gradients'] },
      cost: { formula: '1', default_units: 1 },
    });
  });

  test('M6: a method that was not run on it is said to be so, and may be asked for', async () => {
    const { key } = await newTenant();
    const model = await bringModel(key, { name: 'hurried' });
    expect([model.methods, model.not_run]).toEqual([['grad-cam', 'occlusion'], ['occlusion']]);
    const { body } = await call('GET', '/v1/methods?model=hurried', { key });
    const listed = (id: string) => body.data.find((method: { id: string }) => method.id === id);
    expect(listed('occlusion')).toMatchObject({ works: null, reason: 'not run within the budget of 54 s' });
    expect(listed('grad-cam')).toMatchObject({ works: true, reason: null });
    expect(listed('saliency')).toMatchObject({ works: false });
    const input = { upload: (await uploaded(key)).id };
    expect((await explain(key, { input, model: 'hurried', method: 'occlusion' })).status).toBe(202);
  });

  test('M6: what another release found to work is run again before it is promised', async () => {
    const { id: tenant, key } = await newTenant();
    const model = await bringModel(key);
    const { models } = services(bindings);
    const { facts, report } = (await models.find(tenant, model.id))!;
    const { numerics_version: _, ...earlier } = facts!;
    await models.refresh(model.id, { ...earlier, classes: 2 }, report);
    const seen = (await call<Model>('GET', `/v1/models/${model.id}`, { key })).body;
    expect([seen.status, seen.methods, seen.not_run]).toEqual([
      'ready',
      seen.methods,
      ['grad-cam', 'occlusion'],
    ]);
    // Whoever asks for it is answered by what is known, and has it examined again.
    const methods = async (): Promise<{ id: string; works: boolean | null }[]> =>
      (await call('GET', '/v1/methods?model=mine', { key })).body.data;
    const works = async () => (await methods()).find(({ id }) => id === 'grad-cam')!.works;
    expect(await works()).toBeNull();
    await expect.poll(works).toBe(true);
    expect((await models.find(tenant, model.id))!.facts).toEqual(facts);
  });

  test('E9: that gives other scores each time is computed each time', async () => {
    const { key } = await newTenant();
    const model = await bringModel(key, { name: 'dice' });
    expect(model.deterministic).toBe(false);
    const input = { upload: (await uploaded(key)).id };
    for (const attempt of [1, 2]) {
      const { body } = await explain(key, { input, model: 'dice' });
      expect(body.cache.status).toBe('bypass');
      const job = (await jobsTaken(cacheKeyOf(body), attempt))[attempt - 1]!;
      expect((await report(job, success(job))).status).toBe(204);
    }
  });

  test('E10: deleted while a job waits for it, that job fails', async () => {
    const { key } = await newTenant();
    const model = await bringModel(key);
    const input = { upload: (await uploaded(key)).id };
    await workerAnswers(503);
    try {
      const { body } = await explain(key, { input, model: 'mine' });
      expect((await call('DELETE', `/v1/models/${model.id}`, { key })).status).toBe(204);
      await workerAnswers(202);
      // The message that a busy worker refused comes back after those of other tests.
      const ended = () => call('GET', `/v1/explanations/${body.id}?wait=10`, { key });
      await vi.waitFor(
        async () =>
          expect((await ended()).body).toMatchObject({
            status: 'failed',
            error: { code: 'model_deleted', retryable: false },
          }),
        { timeout: 50_000 },
      );
    } finally {
      await workerAnswers(202);
    }
    expect((await call('GET', `/v1/models/${model.id}`, { key })).status).toBe(404);
    expect((await explain(key, { input, model: 'mine' })).status).toBe(404);
  });

  test('a name with several models means the newest that is ready; the digest says which', async () => {
    const { key } = await newTenant();
    const [first, second] = [await bringModel(key), await bringModel(key)];
    await announceModel(key);
    const input = { upload: (await uploaded(key)).id };
    const chosen = async (model: string) => (await explain(key, { input, model })).body.model.id;
    expect(await chosen('mine')).toBe(second.id);
    expect(await chosen(`mine@${first.digest}`)).toBe(first.id);
  });

  test('a tenant’s own model comes before one of the service with the same name', async () => {
    const { key } = await newTenant();
    const own = await bringModel(key, { name: 'shapes' });
    const input = { upload: (await uploaded(key)).id };
    expect((await explain(key, { input, model: 'shapes' })).body.model.id).toBe(own.id);
    const other = await newTenant();
    const theirs = { upload: (await uploaded(other.key)).id };
    expect((await explain(other.key, { input: theirs, model: 'shapes' })).body.model.id).toBe('shapes');
  });
});

test('A5: another’s model in a body is not there, by id, name or digest', async () => {
  const [owner, other] = [await newTenant('owner'), await newTenant('other')];
  const model = await bringModel(owner.key, { name: 'secret' });
  const input = { upload: (await uploaded(other.key)).id };
  const ask = (name: string) => explain(other.key, { input, model: name });
  for (const [foreign, missing] of [
    [model.id, newId('mdl')],
    ['secret', 'sicret'],
    [`secret@${model.digest}`, `sicret@${model.digest}`],
  ] as const) {
    const [seen, nothing] = [await ask(foreign), await ask(missing)];
    expect([seen.status, withoutIds(seen.text)]).toEqual([404, withoutIds(nothing.text)]);
  }
  expect((await call('GET', `/v1/methods?model=${model.id}`, { key: other.key })).status).toBe(404);
  const { body } = await call('GET', '/v1/models', { key: other.key });
  expect(body.data.map(({ name }: { name: string }) => name)).toEqual(['shapes', 'odd']);
});
