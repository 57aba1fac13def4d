import { runInDurableObject } from 'cloudflare:test';
import { cacheKey, type Job, type Predictions } from '@whylight/contract';
import { describe, expect, test, vi } from 'vitest';
import { predictionQuestion } from '../src/domain/question.ts';
import type { Run } from '../src/domain/run.ts';
import { services } from '../src/services.ts';
import {
  announce,
  bindings,
  call,
  explain,
  jobsTaken,
  newTenant,
  photo,
  predicted,
  report,
  success,
  uploaded,
} from './gateway.ts';

/** A tenant with a photo; `job` is the worker's job of predicting it. */
async function asking() {
  const { id, key } = await newTenant();
  const upload = await uploaded(key);
  const predict = (body: object = {}, headers = {}) =>
    call<Predictions>('POST', '/v1/predictions', {
      key,
      body: { input: { upload: upload.id }, ...body },
      headers,
    });
  const catalog = await services(bindings).catalogs.get();
  const computation = await cacheKey(
    id,
    predictionQuestion(upload.sha256, catalog.models[0]!),
    catalog.device,
  );
  const job = async (): Promise<Job> => (await jobsTaken(computation))[0]!;
  return { key, upload, predict, job, computation };
}

const waitersOf = (computation: string): Promise<number> =>
  runInDurableObject(bindings.COMPUTATION.getByName(computation), async (_, { storage }) => {
    const run = await storage.get<Run>('run/1');
    return Object.keys(run!.waiters).length;
  });

describe('predictions', () => {
  test('say what scores highest, once computed, then from the cache, and cost one unit in all', async () => {
    const { key, predict, job, computation } = await asking();
    const first = predict();
    const taken = await job();
    expect(taken.question).toMatchObject({ method: 'prediction', target: 'predicted', parameters: {} });
    const second = predict({}, { Prefer: 'wait=0' });
    expect((await second).status).toBe(503);
    const third = predict();
    await vi.waitFor(async () => expect(await waitersOf(computation)).toBe(3), { timeout: 20_000 });
    expect((await report(taken, predicted(taken))).status).toBe(204);
    expect((await third).headers.get('Cache-Status')).toBe('whylight; fwd=miss; collapsed');
    expect(await first).toMatchObject({
      status: 200,
      body: {
        object: 'predictions',
        model: { name: 'shapes' },
        predictions: [{ label: 'circle' }, { label: 'star' }],
        cache: { status: 'miss' },
      },
    });
    const again = await predict({ top_k: 1, model: 'shapes' });
    expect(again.headers.get('Cache-Status')).toBe('whylight; hit');
    expect(again.body.predictions).toHaveLength(1);
    expect(await jobsTaken(computation)).toHaveLength(1);
    const [today] = (await call('GET', '/v1/usage', { key })).body.data;
    expect(today.compute_units).toBe(1);
    expect((await call('GET', '/v1/explanations', { key })).body.data).toEqual([]);
  });

  test('are no explanation, and no explanation is one', async () => {
    const { key, upload, predict, job } = await asking();
    const first = predict();
    const taken = await job();
    expect((await report(taken, success(taken))).status).toBe(409);
    await report(taken, predicted(taken));
    await first;
    const made = await explain(key, { input: { upload: upload.id } });
    expect([made.status, made.body.cache.status]).toEqual([202, 'miss']);
    const [explaining] = await jobsTaken(made.body.cache.key!.slice('sha256:'.length));
    expect((await report(explaining!, predicted(explaining!))).status).toBe(409);
  });

  test('of what is no photo are refused with the worker’s reason, and tried again when asked again', async () => {
    const { predict, job, computation } = await asking();
    const first = predict();
    const taken = await job();
    const error = { code: 'invalid_image', message: 'The image is damaged.', retryable: false };
    await report(taken, { status: 'failed', error });
    const refused = (await first) as unknown as { status: number; body: { code: string; detail: string } };
    expect([refused.status, refused.body.code, refused.body.detail]).toEqual([
      422,
      'invalid_image',
      'The image is damaged.',
    ]);
    const second = predict({}, { Prefer: 'wait=0' });
    expect((await jobsTaken(computation, 2))[1]!.attempt).toBe(2);
    expect((await second).status).toBe(503);
  });

  test('that take longer than the caller waits go on, and are there when asked for again', async () => {
    const { predict, job } = await asking();
    const early = await predict({}, { Prefer: 'wait=1' });
    expect([early.status, early.headers.get('Retry-After')]).toEqual([503, '5']);
    const taken = await job();
    await report(taken, predicted(taken));
    expect((await predict()).body.cache.status).toBe('hit');
  });

  test('want a photo that has arrived, a model that is there and a number of classes', async () => {
    const { key, predict } = await asking();
    const pending = await announce(key, photo());
    expect((await predict({ input: { upload: pending.id } })).status).toBe(409);
    expect((await predict({ model: 'shape' })).status).toBe(404);
    for (const top_k of [0, 101, 1.5]) expect((await predict({ top_k })).status).toBe(400);
    expect((await predict({ method: 'grad-cam' })).status).toBe(400);
  });
});
