import { env } from 'cloudflare:workers';
import type { Explanation, ExplanationRequest } from '@whylight/contract';
import { beforeAll, describe, expect, test } from 'vitest';
import { app } from '../src/app.ts';
import { services } from '../src/services.ts';
import { Catalogs } from '../src/storage/catalogs.ts';
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
} from './gateway.ts';
import { bringModel } from './own-model.ts';

const problemOf = (body: Explanation) =>
  body as unknown as { code: string; detail: string; errors: { pointer: string; message: string }[] };

describe('asking for an explanation', () => {
  let key: string;
  let upload: string;
  const ask = (body: Partial<ExplanationRequest> | Record<string, unknown>, headers = {}) =>
    explain(key, { input: { upload }, ...body } as Partial<ExplanationRequest>, headers);

  beforeAll(async () => {
    ({ key } = await newTenant());
    upload = (await uploaded(key)).id;
  });

  test('H2: what means the same has one key: defaults spelled or omitted, 1 or 1.0, label or index, any order', async () => {
    const plain = (await ask({ method: 'integrated-gradients' })).body;
    const spelled = `{"parameters":{"n_steps":${(plain.parameters as { n_steps: number }).n_steps}.0},"language":"en",
      "target":"predicted","layers":[],"convention":"paper","method":"integrated-gradients",
      "model":"shapes@${plain.model.digest}","input":{"upload":"${upload}"}}`;
    const again = await call<Explanation>('POST', '/v1/explanations', { key, body: spelled });
    expect(again.body.cache).toEqual({ status: 'collapsed', key: plain.cache.key });

    const byIndex = (await ask({ target: { class_index: 4 } })).body;
    for (const target of [
      { type: 'class', index: 4 },
      { type: 'class', index: 4, score: 'logit' },
      { type: 'class', label: 'star' },
    ])
      expect((await ask({ target })).body.cache.key).toBe(byIndex.cache.key);
    const ofScore = async (score: string) => (await ask({ target: { type: 'class', score } })).body.cache.key;
    expect(await ofScore('softmax')).toBe(await ofScore('probability'));
    expect(await ofScore('probability')).not.toBe(await ofScore('log-probability'));
    const predicted = (await ask({})).body.cache.key;
    for (const target of [
      'predicted',
      { type: 'class' },
      { type: 'class', index: 'predicted', score: 'logit' },
    ])
      expect((await ask({ target })).body.cache.key).toBe(predicted);
    for (const label of ['star', ' Star', '星'])
      expect((await ask({ target: { label } })).body.cache.key).toBe(byIndex.cache.key);
  });

  test('H2: every change of a field is a question of its own', async () => {
    const other = (await uploaded(key)).id;
    const questions: Partial<ExplanationRequest>[] = [
      { method: 'grad-cam' },
      { method: 'saliency' },
      { method: 'grad-cam', input: { upload: other } },
      { method: 'grad-cam', target: { class_index: 0 } },
      { method: 'grad-cam', target: { class_index: 1 } },
      { method: 'grad-cam', target: { terms: [{ class_index: 0 }, { class_index: 1 }] } },
      { method: 'grad-cam', target: { terms: [{ class_index: 0 }, { class_index: 1, weight: -1 }] } },
      { method: 'grad-cam', convention: 'captum' },
      { method: 'grad-cam', layers: ['conv'] },
      { method: 'occlusion' },
      { method: 'occlusion', model: 'odd' },
      { method: 'integrated-gradients', parameters: { n_steps: 7 } },
      { method: 'integrated-gradients', parameters: { n_steps: 8 } },
    ];
    const keys = await Promise.all(questions.map(async (question) => (await ask(question)).body.cache.key));
    expect(new Set(keys).size).toBe(questions.length);
  });

  test.each([
    [
      { layers: ['relu3'] },
      '/layers/0',
      'shapes has no layer "relu3". Did you mean "relu2"? It has 3, the last first:',
    ],
    [{ layers: ['-1', 'head'] }, '/layers/1', '"relu2", "dropout2", "conv2", or by number "-1" to "-3".'],
    [{ layers: ['-4'] }, '/layers/0', 'no layer "-4"'],
    [{ layers: ['conv', 'conv2'], convention: 'captum' }, '/layers', 'takes one layer, got 2'],
    [{ layers: ['conv'], method: 'saliency' }, '/layers', 'saliency looks at no layer'],
  ] satisfies [Partial<ExplanationRequest>, string, string][])(
    '%j is refused at once, with the layers that there are',
    async (body, pointer, detail) => {
      const refused = await ask(body);
      expect([refused.status, refused.body]).toMatchObject([
        400,
        { code: 'invalid_parameter', detail: expect.stringContaining(detail), errors: [{ pointer }] },
      ]);
    },
  );

  test('layers are taken by any of their names and by number, and unseen where the worker did not say which there are', async () => {
    for (const layers of [['relu2'], ['dropout2'], ['-1'], ['-3'], ['conv', 'conv2']])
      expect((await ask({ layers })).status, `${layers}`).toBe(202);
    const other = await newTenant();
    await bringModel(other.key);
    const input = { upload: (await uploaded(other.key)).id };
    expect((await explain(other.key, { input, model: 'mine', layers: ['anything'] })).status).toBe(202);
  });

  test('H7: no-cache has it computed again', async () => {
    const first = (await ask({ target: { class_index: 2 } })).body;
    const [job] = await jobsTaken(cacheKeyOf(first));
    await report(job!, success(job!));
    const again = await ask({ target: { class_index: 2 } }, { 'Cache-Control': 'no-cache' });
    expect([again.status, again.body.cache]).toEqual([202, { status: 'bypass', key: first.cache.key }]);
    const [, second] = await jobsTaken(cacheKeyOf(first), 2);
    await report(second!, success(second!));
    expect(second!.output_prefix).not.toBe(job!.output_prefix);
    expect((await call('GET', first.urls.self, { key })).body.status).toBe('succeeded');
  });

  test('B18: what is not done within the time preferred is answered 202, and goes on', async () => {
    const asked = await ask({ method: 'saliency' }, { Prefer: 'respond-async, wait=1' });
    expect([asked.status, asked.headers.get('Preference-Applied')]).toEqual([202, 'wait=1']);
    const [job] = await jobsTaken(cacheKeyOf(asked.body));
    await report(job!, success(job!));
    const done = await call('GET', asked.headers.get('Location')!, { key });
    expect(done.body.status).toBe('succeeded');
  });

  test('what is done within the time preferred is answered 200 with the result', async () => {
    const asked = ask({ method: 'saliency', target: { class_index: 1 } }, { Prefer: 'wait=30' });
    const probe = (await ask({ method: 'saliency', target: { class_index: 1 } })).body;
    const [job] = await jobsTaken(cacheKeyOf(probe));
    await report(job!, success(job!));
    expect((await asked).status).toBe(200);
    expect((await asked).body.attributions[0]!.output_display_name).toBe('circle');
  });

  test('an explanation that has not changed is not sent again', async () => {
    const { body } = await ask({ target: { class_index: 3 } });
    const first = await call('GET', body.urls.self, { key });
    const tag = { 'If-None-Match': first.headers.get('ETag')! };
    expect((await call('GET', body.urls.self, { key, headers: tag })).status).toBe(304);
    const [job] = await jobsTaken(cacheKeyOf(body));
    await report(job!, { status: 'processing' });
    expect((await call('GET', body.urls.self, { key, headers: tag })).status).toBe(200);
  });

  test.each([
    [{ method: 'grad-can' }, 400, 'invalid_parameter', '/method', 'Did you mean "grad-cam"?'],
    [{ convention: 'torchcan' }, 400, 'invalid_parameter', '/convention', 'Did you mean "torchcam"?'],
    [{ language: 'fr' }, 400, 'invalid_parameter', '/language', 'Expected one of "en", "zh".'],
    [{ parameters: { n_step: 5 } }, 400, 'invalid_parameter', '/parameters/n_step', 'n_step'],
    [
      { method: 'integrated-gradients', parameters: { n_steps: 0 } },
      400,
      'invalid_parameter',
      '/parameters/n_steps',
      '0',
    ],
    [{ parameters: [] }, 400, 'invalid_parameter', '/parameters', 'expected record'],
    [{ modle: 'shapes' }, 400, 'unknown_field', '/modle', 'no such field'],
    [{ input: { uplaod: 'x' } }, 400, 'unknown_field', '/input/uplaod', 'no such field'],
    [{ input: 'https://example.org/cat.jpg' }, 400, 'invalid_parameter', '/input', 'Invalid input'],
    [{ target: { class_index: 0, label: 'x' } }, 400, 'unknown_field', '/target/label', 'no such field'],
    [{ model: 'shape' }, 404, 'resource_not_found', '/model', 'Did you mean "shapes"?'],
    [{ model: `shapes@sha256:${'0'.repeat(64)}` }, 404, 'resource_not_found', '/model', 'no such model'],
    [{ model: 'odd' }, 422, 'method_not_supported', '/method', 'Loop_7'],
    [{ model: 'odd', method: 'saliency' }, 422, 'method_not_supported', '/method', 'does not have it'],
    [
      { target: { class_index: 5 } },
      422,
      'target_out_of_range',
      '/target/class_index',
      'expected 0 to 4, got 5',
    ],
    [{ target: { class_index: -1 } }, 400, 'invalid_parameter', '/target/class_index', '>=0'],
    [
      { target: { terms: [{ class_index: 0 }, { class_index: 5, weight: -1 }] } },
      422,
      'target_out_of_range',
      '/target/terms/1/class_index',
      'expected 0 to 4, got 5',
    ],
    [
      { target: { terms: [{ class_index: 0, weight: 0 }] } },
      400,
      'invalid_parameter',
      '/target/terms/0/weight',
      'other than 0',
    ],
    [{ target: { label: 'sta' } }, 422, 'target_out_of_range', '/target/label', 'Did you mean "star"?'],
    [{ target: { type: 'class', index: 5 } }, 422, 'target_out_of_range', '/target/index', 'expected 0 to 4'],
    [
      { target: { type: 'class', index: 1, score: 'loud' } },
      400,
      'invalid_parameter',
      '/target/score',
      'logit',
    ],
    [
      { target: { type: 'class', index: 1, label: 'star' } },
      400,
      'invalid_parameter',
      '/target/index',
      'one of',
    ],
    [
      { method: 'deep-lift', target: { type: 'class', score: 'softmax' } },
      400,
      'invalid_parameter',
      '/target/score',
      'explains logits',
    ],
    [{ target: { label: 'crane' } }, 400, 'invalid_parameter', '/target/label', 'classes 2 and 3'],
  ])(
    'J3: %j is refused with status %i, a pointer and a hint',
    async (change, status, code, pointer, hint) => {
      const answer = await ask(change);
      const { code: got, errors } = problemOf(answer.body);
      expect([answer.status, got]).toEqual([status, code]);
      expect(errors.map((error) => error.pointer)).toContain(pointer);
      expect(errors.map(({ message }) => message).join(' ')).toContain(hint);
    },
  );

  test('J12: a database that cannot keep what a worker can do takes nothing away from that', async () => {
    const catalog = await services(bindings).worker.catalog();
    const prepare = () => {
      throw new Error('D1_ERROR: the database is away');
    };
    const noWorkers = () => ({ read: async () => ({ count: 0, catalog: null }) });
    const catalogs = new Catalogs({ prepare } as never, { catalog: async () => catalog }, noWorkers);
    expect(await catalogs.get()).toEqual(catalog);
  });

  test('J12: a worker that is away keeps nobody from asking, once it has been seen', async () => {
    expect((await call('GET', '/v1/models', { key })).body.data).toHaveLength(2);
    const away = { ...env, WORKER_URL: 'http://127.0.0.1:9' };
    const request = { headers: { Authorization: `Bearer ${key}` } };
    const models = await app.request('/v1/models', request, away);
    expect(((await models.json()) as { data: unknown[] }).data).toHaveLength(2);
  });

  test('the methods say what they take, and whether they work on a model', async () => {
    const { data } = (await call('GET', '/v1/methods', { key })).body;
    const ig = data.find(({ id }: { id: string }) => id === 'integrated-gradients');
    expect(ig).toMatchObject({ works: null, parameters: { type: 'object', properties: { n_steps: {} } } });
    const odd = (await call('GET', '/v1/methods?model=odd', { key })).body.data;
    const of = (id: string) => odd.find((method: { id: string }) => method.id === id);
    expect(of('occlusion')).toMatchObject({ works: true, reason: null });
    expect(of('grad-cam')).toMatchObject({
      works: false,
      reason: 'node Loop_7: Loop has no derivative rule',
    });
    expect((await call('GET', '/v1/methods?model=none', { key })).status).toBe(404);
  });
});
