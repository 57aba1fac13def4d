import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { exports } from 'cloudflare:workers';
import type { Explanation, ExplanationRequest } from '@whylight/contract';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { longestUnresolved } from '../src/domain/unresolved.ts';
import { services } from '../src/services.ts';
import { Catalogs } from '../src/storage/catalogs.ts';
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
  predicted,
  report,
  success,
  uploaded,
} from './gateway.ts';
import { bringModel } from './own-model.ts';
import { operatorKey } from './secrets.ts';

/** No worker has ever said which models it has, except during `withWorker`. */
const hide = () => vi.spyOn(Catalogs.prototype, 'find').mockResolvedValue(null);
let hidden: ReturnType<typeof hide>;
beforeEach(() => {
  hidden = hide();
});
afterEach(() => hidden.mockRestore());

async function withWorker<T>(work: () => Promise<T>): Promise<T> {
  hidden.mockRestore();
  return work().finally(() => {
    hidden = hide();
  });
}

const see = async (key: string, { urls }: Explanation): Promise<Explanation> =>
  (await call<Explanation>('GET', urls.self, { key })).body;

const stubOf = ({ id }: Explanation) => bindings.UNRESOLVED_EXPLANATION.getByName(id);

/** Has the gateway look for a catalog now, in vain. */
const look = (made: Explanation) => runDurableObjectAlarm(stubOf(made));

/** A worker has told its models, and the gateway looks for them. */
const start = (made: Explanation) => withWorker(() => look(made));

async function waiting(key: string, kind = 'catalog'): Promise<boolean> {
  const row = bindings.DB.prepare('SELECT 1 FROM waiting_work WHERE kind = ? AND key = ?').bind(kind, key);
  return (await row.first()) !== null;
}

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
    expect(await waiting(made.id)).toBe(true);
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
    expect(await waiting(made.id)).toBe(false);
    const computation = cacheKeyOf(resolved);
    expect(await waiting(computation, 'computation')).toBe(true);
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
      expect(await waiting(made.id)).toBe(false);
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
    expect(await waiting(made.id)).toBe(false);
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
    expect(await waiting(computation, 'computation')).toBe(false);
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
      expect(await waiting(made.id), `after ${4 * (tries + 1)} looks`).toBe(true);
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
    expect(await waiting(made.id)).toBe(true);
    const [job] = await jobsTaken(cacheKeyOf(other));
    await report(job!, success(job!));
    await start(made);
    expect((await see(key, made)).model.name).toBe('shapes');
  });

  const count = async (): Promise<number> =>
    (await call('GET', '/v1/explanations', { key })).body.data.length;
});

describe('L4: before any worker has started', () => {
  test('a prediction waits, counts once, and is told to come again; then it is given', async () => {
    const predict = (wait: number) =>
      call('POST', '/v1/predictions', {
        key,
        body: { input: { upload } },
        headers: { Prefer: `wait=${wait}` },
      });
    const before = await services(bindings).backlog.count();
    const refused = [await predict(1), await predict(0)];
    for (const { status, headers, body } of refused)
      expect([status, headers.get('Retry-After'), body.code]).toEqual([503, '5', 'capacity']);
    expect(await services(bindings).backlog.count()).toBe(before + 1);

    let looks = 0;
    const known = await services(bindings).worker.catalog();
    hidden.mockImplementation(async () => (looks++ ? known : null));
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
    expect(await services(bindings).backlog.count()).toBe(before);
  });

  test('a batch waits as a whole and counts once', async () => {
    const items = [0, 1].map((class_index) => ({
      input: { upload },
      method: 'grad-cam',
      target: { class_index },
    }));
    const { id } = (await call('POST', '/v1/batches', { key, body: { items } })).body;
    await vi.waitFor(async () => expect(await waiting(id)).toBe(true), { timeout: 10_000 });
    await withWorker(() => runDurableObjectAlarm(bindings.BATCH.getByName(`${tenant}/${id}`)));
    expect((await call('GET', `/v1/batches/${id}`, { key })).body.counts).toMatchObject({ queued: 2 });
    expect(await waiting(id)).toBe(false);
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
    hidden.mockImplementation(async () => (looks++ ? known : null));
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
  beforeEach(() => hidden.mockRestore());

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
