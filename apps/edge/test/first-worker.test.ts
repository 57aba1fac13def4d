import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { exports } from 'cloudflare:workers';
import type { Explanation, ExplanationRequest } from '@whylight/contract';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { longestUnresolved } from '../src/domain/unresolved.ts';
import {
  announce,
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
} from './gateway.ts';
import { hideWorkers, isWaiting } from './hidden-workers.ts';
import { bringModel } from './own-model.ts';
import { operatorKey } from './secrets.ts';

const { withWorker } = hideWorkers();

const see = async (key: string, { urls }: Explanation): Promise<Explanation> =>
  (await call<Explanation>('GET', urls.self, { key })).body;

const stubOf = ({ id }: Explanation) => bindings.UNRESOLVED_EXPLANATION.getByName(id);

/** Has the gateway look for a catalog now, in vain. */
const look = (made: Explanation) => runDurableObjectAlarm(stubOf(made));

/** A worker has told its models, and the gateway looks for them. */
const start = (made: Explanation) => withWorker(() => look(made));

let tenant: string;
let key: string;
let upload: string;
beforeEach(async () => {
  ({ id: tenant, key } = await newTenant());
  upload = (await uploaded(key)).id;
});

const ask = (body: Partial<ExplanationRequest> = {}, headers = {}) =>
  explain(key, { input: { upload }, ...body }, headers);
const asked = async (body: Partial<ExplanationRequest> = {}, headers = {}): Promise<Explanation> => {
  const answer = await ask(body, headers);
  expect(answer.status).toBe(202);
  return answer.body;
};

describe('L4: an explanation that is asked for before any worker has started', () => {
  test('is queued, counts in the backlog, and is computed once a worker has told its models', async () => {
    const answer = await ask({
      method: 'integrated-gradients',
      parameters: { n_steps: 7 },
      metadata: { of: 'mine' },
    });
    const made = answer.body;
    expect([answer.status, answer.headers.get('Location')]).toEqual([202, made.urls.self]);
    expect(made).toMatchObject({
      status: 'queued',
      model: { id: null, name: null, digest: null },
      cache: { status: 'miss', key: null },
      parameters: { n_steps: 7 },
      target: { type: 'class', index: 'predicted', score: 'logit' },
      metadata: { of: 'mine' },
      error: null,
    });
    expect(await isWaiting(made.id)).toBe(true);
    await look(made);
    expect(await see(key, made)).toEqual(made);
    expect((await call('GET', '/v1/explanations', { key })).body.data).toEqual([made]);

    await start(made);
    const resolved = await see(key, made);
    expect(resolved).toMatchObject({
      ...{ id: made.id, status: 'queued', created_at: made.created_at, expires_at: made.expires_at },
      model: { id: 'shapes', name: 'shapes', digest: `sha256:${'a'.repeat(64)}` },
      parameters: made.parameters,
    });
    expect(await isWaiting(made.id)).toBe(false);
    const computation = cacheKeyOf(resolved);
    expect(await isWaiting(computation, 'computation')).toBe(true);
    const [job] = await jobsTaken(computation);
    await report(job!, success(job!));
    expect(await see(key, made)).toMatchObject({ status: 'succeeded', cache: { status: 'miss' } });
    const overlay = await call('GET', `${made.urls.self}/artifacts/overlay.png`, { key });
    expect(overlay.status).toBe(302);
  });

  test('shares the computation with an equal one, and finds a result that is there', async () => {
    const [first, second] = [await asked(), await asked()];
    await start(first);
    await start(second);
    const third = await asked();
    const both = await Promise.all([see(key, first), see(key, second)]);
    expect(both.map(({ cache }) => cache.status).toSorted()).toEqual(['collapsed', 'miss']);
    const [job] = await jobsTaken(cacheKeyOf(both[0]!));
    await report(job!, success(job!));
    await start(third);
    expect(await see(key, third)).toMatchObject({ status: 'succeeded', cache: { status: 'hit' } });
  });

  test.each([
    { model: 'shape' },
    { model: `shapes@sha256:${'0'.repeat(64)}` },
    { model: 'odd' },
    { target: { class_index: 5 } },
    { target: { label: 'sta' } },
    { target: { label: 'crane' } },
    { layers: ['relu3'] },
  ] satisfies Partial<ExplanationRequest>[])(
    '%j ends as failed, with the code and the sentence of the refusal that it would have been',
    async (body) => {
      const made = await asked(body);
      await start(made);
      const refusal = (await withWorker(() => ask(body))).body as unknown as { code: string; detail: string };
      const { status, error, completed_at } = await see(key, made);
      expect([status, error]).toEqual([
        'failed',
        { code: refusal.code, message: refusal.detail, retryable: false },
      ]);
      expect(completed_at).not.toBeNull();
      expect(await isWaiting(made.id)).toBe(false);
    },
  );

  test('is refused at once for what can be checked without a model, and then nothing waits', async () => {
    const announced = (await announce(key, photo())).id;
    const refused = await Promise.all([
      ask({ input: { upload: `upl_${'0'.repeat(26)}` } }),
      ask({ input: { upload: announced } }),
      ask({ method: 'grad-can' }),
      ask({ method: 'integrated-gradients', parameters: { n_steps: 0 } }),
      ask({ webhook: `whk_${'0'.repeat(26)}` }),
    ]);
    expect(refused.map(({ status }) => status)).toEqual([404, 409, 400, 400, 404]);
    expect((await call('GET', '/v1/explanations', { key })).body.data).toEqual([]);
    expect((await call('GET', '/v1/limits', { key })).body.concurrency.in_use).toBe(0);
  });

  test('shows a label as no class until the class names are known', async () => {
    const made = await asked({ target: { label: 'star' } });
    expect(made.target).toEqual({ type: 'class', score: 'logit' });
    await start(made);
    expect((await see(key, made)).target).toEqual({ type: 'class', index: 4, score: 'logit' });
  });

  test('by the tenant’s own model names it at once', async () => {
    const model = await bringModel(key);
    const made = await asked({ model: 'mine' });
    expect(made.model).toEqual({ id: model.id, name: 'mine', digest: model.digest });
    const refused = await ask({ model: 'mine', target: { class_index: 3 } });
    expect([refused.status, refused.body]).toMatchObject([422, { code: 'target_out_of_range' }]);
    await start(made);
    const [job] = await jobsTaken(cacheKeyOf(await see(key, made)));
    expect(job!.model).toMatchObject({ id: model.id });
  });

  test('is canceled, and stays so when a worker has started', async () => {
    const made = await asked();
    const canceled = await call<Explanation>('POST', made.urls.cancel, { key });
    expect([canceled.status, canceled.body.status]).toEqual([200, 'canceled']);
    await start(made);
    expect((await see(key, made)).status).toBe('canceled');
    expect(await isWaiting(made.id)).toBe(false);
    expect((await call('GET', '/v1/limits', { key })).body.concurrency.in_use).toBe(0);
  });

  test('is aborted when the time of Cancel-After is over, whether or not there is a worker then', async () => {
    const [first, second] = [
      await asked({}, { 'Cancel-After': '90s' }),
      await asked({}, { 'Cancel-After': '90s' }),
    ];
    await at(91_000, () => look(first));
    await at(91_000, () => start(second));
    for (const made of [first, second])
      expect(await see(key, made)).toMatchObject({
        status: 'aborted',
        error: { code: 'deadline_exceeded' },
      });
  });

  test('keeps its deadline when it gets its computation', async () => {
    const made = await asked({}, { 'Cancel-After': '90s' });
    await at(60_000, () => start(made));
    const computation = cacheKeyOf(await see(key, made));
    await at(91_000, () => runDurableObjectAlarm(bindings.COMPUTATION.getByName(computation)));
    expect(await see(key, made)).toMatchObject({ status: 'aborted', error: { code: 'deadline_exceeded' } });
  });

  test('is deleted for good, before and after it has its computation', async () => {
    const [first, second] = [await asked(), await asked()];
    const erase = ({ urls }: Explanation) => call('DELETE', urls.self, { key });
    expect((await erase(first)).status).toBe(204);
    await start(first);
    expect((await call('GET', first.urls.self, { key })).status).toBe(404);
    await start(second);
    const computation = cacheKeyOf(await see(key, second));
    expect((await erase(second)).status).toBe(204);
    expect(await isWaiting(computation, 'computation')).toBe(false);
    const left = await runInDurableObject(stubOf(first), (_, { storage }) => storage.list());
    expect([...left.keys()]).toEqual([]);
  });

  test('fails by name if no worker starts within half an hour', async () => {
    const made = await asked();
    await at(longestUnresolved - 30_000, () => look(made));
    expect((await see(key, made)).status).toBe('queued');
    await at(longestUnresolved, () => look(made));
    expect(await see(key, made)).toMatchObject({
      status: 'failed',
      error: { code: 'worker_unreachable', retryable: true },
    });
  });

  test('keeps its row in the backlog fresh while it waits', async () => {
    const made = await asked();
    for (let tries = 0; tries < 4; tries++) {
      await bindings.DB.prepare('DELETE FROM waiting_work WHERE key = ?').bind(made.id).run();
      for (let i = 0; i < 4; i++) await look(made);
      expect(await isWaiting(made.id), `after ${4 * (tries + 1)} looks`).toBe(true);
    }
  });

  test('is answered within the preferred time, if a worker starts and computes it by then', async () => {
    const answer = ask({}, { Prefer: 'wait=30' });
    await vi.waitFor(async () => expect(await count()).toBe(1), { timeout: 10_000 });
    const [row] = (await call('GET', '/v1/explanations', { key })).body.data as Explanation[];
    await start(row!);
    const [job] = await jobsTaken(cacheKeyOf(await see(key, row!)));
    await report(job!, success(job!));
    const { status, body } = await answer;
    expect([status, body.status, body.model.name, body.cache.key]).toEqual([
      200,
      'succeeded',
      'shapes',
      (await see(key, row!)).cache.key,
    ]);
  });

  test('is followed by one line of events from the queue to its end', async () => {
    const made = await asked();
    const { default: gateway } = exports as unknown as { default: Fetcher };
    const headers = { Authorization: `Bearer ${key}` };
    const response = await gateway.fetch(`http://gateway.test${made.urls.events}`, { headers });
    const text = response.text();
    await start(made);
    const [job] = await jobsTaken(cacheKeyOf(await see(key, made)));
    await report(job!, { status: 'processing' });
    await report(job!, success(job!));
    const seen = (await text).match(/(?<=^event: ).*$/gm);
    expect([seen?.[0], seen?.at(-1)]).toEqual(['queued', 'completed']);
    expect(seen).not.toContain('error');
  });

  test('tells its webhook how it ended, once, with and without a computation', async () => {
    const receiver = (bindings as unknown as { RECEIVER_URL: string }).RECEIVER_URL;
    const url = `${receiver}/hook/${tenant}`;
    const webhook = (await call('POST', '/v1/webhook_endpoints', { key, body: { url } })).body.id;
    const [canceled, failed, done] = [
      await asked({ webhook }),
      await asked({ webhook, model: 'odd' }),
      await asked({ webhook }),
    ];
    await call('POST', canceled.urls.cancel, { key });
    await start(canceled);
    for (const made of [failed, done]) await start(made);
    await start(failed);
    const [job] = await jobsTaken(cacheKeyOf(await see(key, done)));
    await report(job!, success(job!));
    const told = await vi.waitFor(
      async () => {
        const all = (await (await fetch(`${receiver}/seen/${tenant}`)).json()) as { body: string }[];
        expect(all.length).toBeGreaterThanOrEqual(3);
        return all.map(({ body }) => JSON.parse(body));
      },
      { timeout: 20_000, interval: 50 },
    );
    expect(told.map(({ data }) => [data.id, data.status]).toSorted()).toEqual(
      [
        [canceled.id, 'canceled'],
        [failed.id, 'failed'],
        [done.id, 'succeeded'],
      ].toSorted(),
    );
    expect(told.find(({ data }) => data.id === canceled.id).data.model).toBeNull();
  });

  test('is one, however often the request comes with its Idempotency-Key', async () => {
    const headers = { 'Idempotency-Key': crypto.randomUUID() };
    const first = await asked({}, headers);
    expect((await asked({}, headers)).id).toBe(first.id);
    await start(first);
    expect((await withWorker(() => ask({}, headers))).body.id).toBe(first.id);
    expect(await count()).toBe(1);
  });

  test('takes a place and its units like any queued one, and counts once', async () => {
    const limits = { concurrency: 2, compute_units: 100 };
    await call('PUT', `/v1/operator/tenants/${tenant}/limits`, { key: operatorKey, body: limits });
    const places = async () => {
      const { body } = await call('GET', '/v1/limits', { key });
      return [body.concurrency.in_use, body.compute_units.remaining];
    };
    const first = await asked({ method: 'integrated-gradients', parameters: { n_steps: 50 } });
    expect(await places()).toEqual([1, 50]);
    const dear = { method: 'integrated-gradients', parameters: { n_steps: 51 } };
    expect((await ask(dear)).body).toMatchObject({ code: 'quota_exceeded' });
    const second = await asked();
    expect((await ask()).body).toMatchObject({ code: 'concurrency_limited' });
    await start(first);
    await start(second);
    expect(await places()).toEqual([2, 49]);
    for (const made of [first, second]) {
      const [job] = await jobsTaken(cacheKeyOf(await see(key, made)));
      await report(job!, success(job!));
    }
    expect(await places()).toEqual([0, 49]);
    const [today] = (await call('GET', '/v1/usage', { key })).body.data;
    expect(today).toMatchObject({ explanations: 2, compute_units: 51 });
  });

  test('waits for a place if others have taken it meanwhile, and is not lost', async () => {
    const limits = { concurrency: 1 };
    await call('PUT', `/v1/operator/tenants/${tenant}/limits`, { key: operatorKey, body: limits });
    const made = await asked();
    const meter = bindings.METER.getByName(tenant);
    // As if another request were quicker between freeing its place and taking the computation's.
    await meter.release(`${made.id}/0`);
    const other = (await withWorker(() => ask({ target: { class_index: 1 } }))).body;
    await start(made);
    expect((await see(key, made)).status).toBe('queued');
    expect(await isWaiting(made.id)).toBe(true);
    const [job] = await jobsTaken(cacheKeyOf(other));
    await report(job!, success(job!));
    await start(made);
    expect((await see(key, made)).model.name).toBe('shapes');
  });

  const count = async (): Promise<number> =>
    (await call('GET', '/v1/explanations', { key })).body.data.length;
});
