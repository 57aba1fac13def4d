import { runInDurableObject } from 'cloudflare:test';
import { type Model, sha256Hex } from '@whylight/contract';
import { describe, expect, test, vi } from 'vitest';
import { services } from '../src/services.ts';
import {
  bindings,
  cacheKeyOf,
  call,
  explain,
  jobsTaken,
  newKey,
  newTenant,
  photo,
  uploaded,
  workerAnswers,
} from './gateway.ts';
import { announceModel, bringModel, putParts } from './own-model.ts';

const statusOf = async (key: string, id: string) =>
  (await call<Model>('GET', `/v1/models/${id}`, { key })).body;

describe('a model of one’s own', () => {
  test('is announced, sent in parts, examined, and then explained by name, id or digest', async () => {
    const { id: tenant, key } = await newTenant();
    const bytes = photo();
    const { status, body: model, headers } = await announceModel(key, {}, bytes);
    expect([status, model.status, headers.get('location')]).toEqual([
      201,
      'pending',
      `/v1/models/${model.id}`,
    ]);
    const [part] = model.upload!.parts;
    const url = new URL(part!.url);
    expect(url.pathname).toMatch(new RegExp(`/photos/t/${tenant}/m/${model.id.slice(4)}-[0-9a-f]{32}$`));
    expect(url.searchParams.get('X-Amz-SignedHeaders')).toBe('content-length;host');
    expect(url.searchParams.get('X-Amz-Expires')).toBe('300');

    const parts = await putParts(model, bytes);
    const completed = await call<Model>('POST', model.urls.complete!, {
      ...{ key, body: { parts }, headers: { Prefer: 'wait=20' } },
    });
    expect([completed.status, completed.body]).toMatchObject([
      200,
      { status: 'ready', classes: 3, own: true, methods: ['grad-cam', 'occlusion'], report: { opset: 17 } },
    ]);

    const digest = `sha256:${await sha256Hex(bytes)}`;
    const input = { upload: (await uploaded(key)).id };
    const asked = await Promise.all(
      ['mine', model.id, `mine@${digest}`].map((name) => explain(key, { input, model: name })),
    );
    for (const { status, body } of asked)
      expect([status, body.model]).toEqual([202, { id: model.id, name: 'mine', digest }]);
    expect(new Set(asked.map(({ body }) => body.cache.key)).size).toBe(1);
    const [job] = await jobsTaken(cacheKeyOf(asked[0]!.body));
    expect(job!.model).toMatchObject({ id: model.id, sha256: digest.slice(7), bytes: bytes.length });
  });

  test('L3: an examination that is answered twice counts once: the first answer stands', async () => {
    const { id: tenant, key } = await newTenant();
    const model = await bringModel(key);
    const { models } = services(bindings);
    const row = (await models.find(tenant, model.id))!;
    const modelValidation = bindings.MODEL_VALIDATION.getByName(model.id);
    // Another worker was asked as well, and has found something else; and the file arrives once more.
    await models.reject(model.id, { code: 'model_too_large', message: 'Another worker has no room.' });
    await models.markReady(model.id, { ...row.facts!, classes: 99 }, row.report!);
    await modelValidation.begin(tenant, model.id, 'req_again');
    await modelValidation.waitUntilDone(20);
    expect(await statusOf(key, model.id)).toMatchObject({ status: 'ready', classes: 3, error: null });
    const bad = await bringModel(key, { name: 'bad' });
    await models.markReady(bad.id, row.facts!, row.report!);
    expect(await statusOf(key, bad.id)).toMatchObject({ status: 'rejected', error: bad.error });
  });

  test('of several parts has a URL for each', async () => {
    const { key } = await newTenant();
    const { body } = await announceModel(key, { content_length: 40 * 2 ** 20 });
    const sizes = body.upload!.parts.map(({ offset, headers }) => [offset, headers['content-length']]);
    const part = 16 * 2 ** 20;
    expect(sizes).toEqual([
      [0, String(part)],
      [part, String(part)],
      [2 * part, String(40 * 2 ** 20 - 2 * part)],
    ]);
  });

  test('C1: a part of another length than was signed is refused by the store', async () => {
    const { key } = await newTenant();
    const bytes = photo();
    const { body: model } = await announceModel(key, {}, bytes);
    const { url } = model.upload!.parts[0]!;
    expect((await fetch(url, { method: 'PUT', body: bytes.slice(1) })).status).toBe(403);
    const { status, body } = await call('POST', model.urls.complete!, {
      ...{ key, body: { parts: [{ part_number: 1, etag: 'x' }] } },
    });
    expect([status, body.code]).toEqual([422, 'upload_mismatch']);
    expect((await statusOf(key, model.id)).status).toBe('pending');
  });

  test('C3: once it is complete, its URLs are good for nothing', async () => {
    const { key } = await newTenant();
    const bytes = photo();
    const { body: model } = await announceModel(key, {}, bytes);
    const parts = await putParts(model, bytes);
    const complete = () =>
      call('POST', model.urls.complete!, { key, body: { parts }, headers: { Prefer: 'wait=20' } });
    expect((await complete()).body.status).toBe('ready');
    const [part] = model.upload!.parts;
    const again = await fetch(part!.url, { method: 'PUT', headers: part!.headers, body: bytes });
    expect(again.status).toBe(404);
    expect((await complete()).body.status).toBe('ready');
  });

  test('that is refused says why, and so does an explanation by it', async () => {
    const { key } = await newTenant();
    const model = await bringModel(key, { name: 'bad' });
    expect(model).toMatchObject({ status: 'rejected', error: { code: 'model_unsupported_op' } });
    const { status, body } = await explain(key, {
      input: { upload: (await uploaded(key)).id },
      model: 'bad',
    });
    expect([status, body]).toMatchObject([422, { code: 'model_unsupported_op' }]);
  });

  test('that was refused can be tried again, under its id', async () => {
    const { key } = await newTenant();
    const bytes = photo();
    const model = await bringModel(key, { name: 'bad' }, bytes);
    const { status, body } = await announceModel(key, { name: 'bad' }, bytes);
    expect([status, body.id, body.status, body.error]).toEqual([200, model.id, 'pending', null]);
    await putParts(body, bytes);
  });

  test('that is not there yet is 409 to an explanation', async () => {
    const { key } = await newTenant();
    const { body: model } = await announceModel(key);
    const { status, body } = await explain(key, {
      input: { upload: (await uploaded(key)).id },
      model: model.id,
    });
    expect([status, body]).toMatchObject([409, { code: 'model_not_ready', retryable: true }]);
    expect((await call('POST', model.urls.warm!, { key })).body.code).toBe('model_not_ready');
  });

  test('is waited for while no worker has time, and examined when one has', async () => {
    const { key } = await newTenant();
    const bytes = photo();
    const { body: model } = await announceModel(key, {}, bytes);
    const parts = await putParts(model, bytes);
    await workerAnswers(503);
    try {
      const completed = await call('POST', model.urls.complete!, {
        ...{ key, body: { parts }, headers: { Prefer: 'wait=1' } },
      });
      expect([completed.status, completed.body.status]).toEqual([202, 'validating']);
      expect(completed.headers.get('preference-applied')).toBe('wait=1');
    } finally {
      await workerAnswers(202);
    }
    const { body } = await call<Model>('GET', `/v1/models/${model.id}?wait=30`, { key });
    expect(body.status).toBe('ready');
  });

  test('is loaded ahead of time on demand', async () => {
    const { key } = await newTenant();
    const { id, urls } = await bringModel(key);
    expect((await call('POST', urls.warm!, { key })).status).toBe(202);
    expect(await (await fetch(`${bindings.WORKER_URL}/warmed`)).json()).toContain(id);
  });

  test('E11: registered twice has one id, also when both come at once; another manifest makes another model', async () => {
    const { key } = await newTenant();
    const bytes = photo();
    const answers = await Promise.all([1, 2, 3].map(() => announceModel(key, {}, bytes)));
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 201]);
    const uploads = answers.map(({ body }) =>
      new URL(body.upload!.parts[0]!.url).searchParams.get('uploadId'),
    );
    expect(new Set(uploads).size).toBe(1);
    const model = await bringModel(key, {}, bytes);
    expect(model.id).toBe(answers[0]!.body.id);
    const { status, body } = await announceModel(key, {}, bytes);
    expect([status, body.id, body.status, body.upload]).toEqual([200, model.id, 'ready', null]);
    const other = await announceModel(key, { preprocessing: 'imagenet-half' }, bytes);
    expect([other.status, other.body.id === model.id]).toEqual([201, false]);
  });
});

describe('limits', () => {
  test('E4: what is too large is refused before a URL is signed', async () => {
    const { key } = await newTenant();
    const { status, body } = await announceModel(key, { content_length: 512 * 2 ** 20 + 1 });
    expect([status, body]).toMatchObject([
      422,
      { code: 'model_too_large', errors: [{ pointer: '/content_length' }] },
    ]);
  });

  test('a tenant keeps so many bytes of models and no more', async () => {
    const { key } = await newTenant();
    const wish = { content_length: 512 * 2 ** 20 };
    const answers = await Promise.all(Array.from({ length: 10 }, () => announceModel(key, wish)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(8);
    const refused = answers.filter(({ status }) => status === 409);
    expect(refused.map(({ body }) => (body as unknown as { code: string }).code)).toEqual([
      'model_limit_reached',
      'model_limit_reached',
    ]);
    const made = answers.find(({ status }) => status === 201)!.body;
    expect((await call('DELETE', `/v1/models/${made.id}`, { key })).status).toBe(204);
    expect((await announceModel(key, wish)).status).toBe(201);
  });

  test.each([
    [{ name: 'mdl_x' }, '/name'],
    [{ name: 'a@b' }, '/name'],
    [{ name: '../x' }, '/name'],
    [{ sha256: 'A'.repeat(64) }, '/sha256'],
    [{ preprocessing: { mean: [] } }, '/preprocessing/mean'],
    [{ preprocessing: { std: [0, 1, 1] } }, '/preprocessing/std/0'],
    [{ labels: [] }, '/labels'],
    [{ tenant: 'x' }, '/tenant'],
  ])('%j is refused by its place', async (wish, pointer) => {
    const { key } = await newTenant();
    const { status, body } = await announceModel(key, wish as object);
    const { errors } = body as unknown as { errors: { pointer: string }[] };
    expect([status, errors[0]!.pointer]).toEqual([400, pointer]);
  });

  test('A7: reading, and no more, with a key for reading', async () => {
    const { key } = await newTenant();
    const model = await bringModel(key);
    const reader = await newKey(key, { scopes: ['models:read'] });
    expect((await call('GET', `/v1/models/${model.id}`, { key: reader })).status).toBe(200);
    for (const [method, path, body] of [
      ['POST', '/v1/models', {}],
      ['DELETE', `/v1/models/${model.id}`, undefined],
      ['POST', `/v1/models/${model.id}/warm`, undefined],
      ['POST', `/v1/models/${model.id}/complete`, { parts: [] }],
    ] as const)
      expect((await call(method, path, { key: reader, body })).body.code).toBe('insufficient_scope');
  });
});

test('H3: the same bytes of another tenant are another model, uploaded again', async () => {
  const [first, second] = [await newTenant(), await newTenant()];
  const bytes = photo();
  const model = await bringModel(first.key, {}, bytes);
  const { status, body } = await announceModel(second.key, {}, bytes);
  expect([status, body.upload === null, body.id === model.id]).toEqual([201, false, false]);
});

test('lists are pages: the service’s models first, then one’s own, newest first', async () => {
  const { key } = await newTenant();
  const made: string[] = [];
  for (let i = 0; i < 3; i++) made.unshift((await announceModel(key)).body.id);
  const first = await call('GET', '/v1/models?limit=2', { key });
  const ids = (data: Model[]) => data.map(({ id }) => id);
  expect(ids(first.body.data)).toEqual(['shapes', 'odd', ...made.slice(0, 2)]);
  const rest = await call('GET', `/v1/models?limit=2&starting_after=${first.body.next_cursor}`, { key });
  expect([ids(rest.body.data), rest.body.has_more]).toEqual([[made[2]], false]);
  expect((await call('GET', '/v1/models/shapes', { key })).body).toMatchObject({
    own: false,
    status: 'ready',
  });
});

test('J12: a model is examined once the database is back, whenever that is', async () => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
  const { key } = await newTenant();
  const bytes = photo();
  const { body: model } = await announceModel(key, {}, bytes);
  const parts = await putParts(model, bytes);
  const stub = bindings.MODEL_VALIDATION.getByName(model.id);
  await workerAnswers(503);
  try {
    expect((await call('POST', model.urls.complete!, { key, body: { parts } })).status).toBe(202);
    await runInDurableObject(stub, async (instance, { storage }) => {
      const modelValidation = instance as unknown as { env: unknown; alarm(): Promise<void> };
      const prepare = () => {
        throw new Error('D1_ERROR: no answer');
      };
      modelValidation.env = { ...bindings, DB: { prepare } };
      await storage.deleteAlarm();
      await modelValidation.alarm();
      expect(await storage.getAlarm()).not.toBeNull();
      modelValidation.env = bindings;
    });
  } finally {
    await workerAnswers(202);
  }
  expect((await call('GET', `/v1/models/${model.id}?wait=30`, { key })).body.status).toBe('ready');
});

test('L8: a model in a worker’s queue keeps its place there: it is offered again at once, for as long as the worker says so', async () => {
  const { key } = await newTenant();
  const bytes = photo();
  const { body: model } = await announceModel(key, {}, bytes);
  const parts = await putParts(model, bytes);
  const stub = bindings.MODEL_VALIDATION.getByName(model.id);
  await workerAnswers(429);
  try {
    await call('POST', model.urls.complete!, { key, body: { parts } });
    await runInDurableObject(stub, async (instance, { storage }) => {
      const ring = async () => {
        await storage.deleteAlarm();
        await (instance as unknown as { alarm(): Promise<void> }).alarm();
        return (await storage.getAlarm())! - Date.now();
      };
      const [task] = [(await storage.get<object>('task'))!];
      await storage.put('task', { ...task, since: Date.now() - 29 * 60_000 });
      for (let turn = 0; turn < 6; turn++) expect(await ring()).toBeLessThanOrEqual(1000);
      await storage.put('task', { ...(await storage.get<object>('task')), since: Date.now() - 90 * 60_000 });
      expect(await ring()).toBeLessThanOrEqual(1000);
    });
    expect((await call('GET', `/v1/models/${model.id}`, { key })).body.status).toBe('validating');
  } finally {
    await workerAnswers(202);
  }
  const { body } = await call<Model>('GET', `/v1/models/${model.id}?wait=30`, { key });
  expect(body.status).toBe('ready');
});

test('C9: a model whose file never comes is deleted', async () => {
  const { key } = await newTenant();
  const { body: model } = await announceModel(key);
  const stub = bindings.MODEL_VALIDATION.getByName(model.id);
  const { runDurableObjectAlarm } = await import('cloudflare:test');
  expect(await runDurableObjectAlarm(stub)).toBe(true);
  await vi.waitFor(async () =>
    expect((await call('GET', `/v1/models/${model.id}`, { key })).status).toBe(404),
  );
});

test('A13: what is done to a model is in the trail', async () => {
  const { key } = await newTenant();
  const model = await bringModel(key);
  await call('DELETE', `/v1/models/${model.id}`, { key });
  const { body } = await call('GET', '/v1/audit_events', { key });
  const seen = body.data.map(({ action, subject }: { action: string; subject: string }) => [action, subject]);
  for (const action of ['POST /v1/models', 'POST /v1/models/{id}/complete', 'DELETE /v1/models/{id}'])
    expect(seen).toContainEqual([action, model.id]);
});
