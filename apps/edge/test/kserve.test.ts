import { type Job, sha256Hex } from '@whylight/contract';
import { bytesElements } from '@whylight/contract/kserve';
import { describe, expect, test, vi } from 'vitest';
import { app } from '../src/app.ts';
import { services } from '../src/services.ts';
import { bindings, call, newKey, newTenant, predicted, prefixOf, report, success, write } from './gateway.ts';

const root = '/v1/compat/kserve';

/** Bytes that begin as a PNG does, and that no other test has. */
function png(): Uint8Array<ArrayBuffer> {
  const bytes = crypto.getRandomValues(new Uint8Array(100));
  bytes.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return bytes;
}
const base64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));
const image = (...photos: Uint8Array[]) => ({
  ...{ name: 'image_bytes', datatype: 'BYTES', shape: [photos.length], data: photos.map(base64) },
});

async function jobAbout(bytes: Uint8Array<ArrayBuffer>): Promise<Job> {
  const hash = await sha256Hex(bytes);
  return vi.waitFor(
    async () => {
      const [job] = (await (await fetch(`${bindings.WORKER_URL}/taken?image=${hash}`)).json()) as Job[];
      expect(job).toBeDefined();
      return job!;
    },
    { timeout: 20_000, interval: 25 },
  );
}

/** Does the worker's part of a prediction: two classes. */
async function predict(bytes: Uint8Array<ArrayBuffer>): Promise<Job> {
  const job = await jobAbout(bytes);
  await report(job, predicted(job));
  return job;
}

/** An array of floats as the worker writes it. */
function npy(shape: readonly number[], data: readonly number[]): Uint8Array<ArrayBuffer> {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(', ')}), }`;
  const header = new TextEncoder().encode(`\u0093NUMPY??${'..'}${text.padEnd(117)}\n`).slice(1);
  header.set([0x93], 0);
  header.set([1, 0, 118, 0], 6);
  return new Uint8Array([...header, ...new Uint8Array(new Float32Array(data).buffer)]);
}

const output = ({ outputs }: { outputs: { name: string }[] }, name: string) =>
  outputs.find((one) => one.name === name);

describe('KServe’s probes', () => {
  test('say without a key that the server lives and has models', async () => {
    expect((await call('GET', `${root}/`)).body).toEqual({ status: 'alive' });
    expect((await call('GET', `${root}/v2`)).body).toMatchObject({ extensions: ['binary_tensor_data'] });
    expect((await call('GET', `${root}/v2/health/live`)).body).toEqual({ live: true });
    expect((await call('GET', `${root}/v2/health/ready`)).body).toEqual({ ready: true });
  });

  test('of models need a key, and know those of the service', async () => {
    const { key } = await newTenant();
    expect((await call('GET', `${root}/v1/models`, { key })).body).toEqual({ models: ['shapes', 'odd'] });
    expect((await call('GET', `${root}/v1/models/shapes`, { key })).body).toEqual({
      ...{ name: 'shapes', ready: true },
    });
    for (const name of ['shapes', 'shapes-explainer'])
      expect((await call('GET', `${root}/v2/models/${name}/ready`, { key })).body.ready).toBe(true);
    for (const path of ['v1/models/none', 'v2/models/none', 'v2/models/none/ready', 'v2/models/-explainer'])
      expect((await call('GET', `${root}/${path}`, { key })).status, path).toBe(404);
    for (const path of ['v1/models', 'v1/models/shapes', 'v2/models/shapes', 'v2/models/shapes/ready'])
      expect((await call('GET', `${root}/${path}`)).status, path).toBe(401);
  });

  test('of a model that is not ready say so by 503', async () => {
    const { key } = await newTenant();
    const body = { name: 'tea', sha256: await sha256Hex(png()), content_length: 9 };
    expect((await call('POST', '/v1/models', { key, body })).status).toBe(201);
    for (const path of ['v1/models/tea', 'v2/models/tea/ready'])
      expect((await call('GET', `${root}/${path}`, { key })).status, path).toBe(503);
  });
});

test('KServe’s V1 predicts as many classes as are wanted', async () => {
  const { key } = await newTenant();
  const bytes = png();
  const body = { instances: [{ b64: base64(bytes) }] };
  const path = `${root}/v1/models/shapes:predict`;
  const asked = call('POST', path, { key, body });
  const job = await predict(bytes);
  expect(job.question.method).toBe('prediction');
  expect((await asked).body).toEqual({
    predictions: [
      [
        { class_index: 0, label: 'circle', probability: 0.75, score: 3.5 },
        { class_index: 4, label: 'star', probability: 0.25, score: 2.4 },
      ],
    ],
  });
  const one = await call('POST', path, { key, body: { ...body, parameters: { top_k: 1 } } });
  expect(one.body.predictions[0]).toHaveLength(1);
  const wrong = await call('POST', path, { key, body: { ...body, parameters: { method: 'grad-cam' } } });
  expect([wrong.status, wrong.body.code, wrong.body.errors[0].pointer]).toEqual([
    ...[400, 'unknown_field', '/parameters/method'],
  ]);
});

describe('KServe’s V2', () => {
  test('infers what its metadata says, as JSON', async () => {
    const { key } = await newTenant();
    const [first, second] = [png(), png()];
    const { body: metadata } = await call('GET', `${root}/v2/models/shapes`, { key });
    expect(metadata.inputs).toEqual([{ name: 'image_bytes', datatype: 'BYTES', shape: [-1] }]);
    const asked = call('POST', `${root}/v2/models/shapes/infer`, {
      key,
      body: { id: 'a', model_name: 'shapes', inputs: [image(first, second)], parameters: { top_k: 2 } },
    });
    await Promise.all([predict(first), predict(second)]);
    const { body, status } = await asked;
    expect([status, body.model_name, body.id]).toEqual([200, 'shapes', 'a']);
    expect(body.outputs.map(({ name, datatype }: never) => ({ name, datatype }))).toEqual(
      metadata.outputs.map(({ name, datatype }: never) => ({ name, datatype })),
    );
    expect(output(body, 'class_index')).toEqual({
      ...{ name: 'class_index', datatype: 'INT64', shape: [2, 2], data: [0, 4, 0, 4] },
    });
    expect(output(body, 'score')).toMatchObject({ data: [3.5, Math.fround(2.4), 3.5, Math.fround(2.4)] });
  });

  test('takes and gives bytes behind the JSON', async () => {
    const { key } = await newTenant();
    const bytes = png();
    const json = new TextEncoder().encode(
      JSON.stringify({
        inputs: [
          {
            ...{ name: 'image_bytes', datatype: 'BYTES', shape: [1] },
            parameters: { binary_data_size: bytes.length + 4 },
          },
        ],
        outputs: [{ name: 'label', parameters: { binary_data: true } }],
      }),
    );
    const sent = new Uint8Array(json.length + 4 + bytes.length);
    sent.set(json);
    sent.set([bytes.length, 0, 0, 0], json.length);
    sent.set(bytes, json.length + 4);
    const answer = app.request(
      `${root}/v2/models/shapes/infer`,
      {
        method: 'POST',
        headers: {
          Authorization: `Bearer ${key}`,
          'Content-Type': 'application/octet-stream',
          'Inference-Header-Content-Length': String(json.length),
        },
        body: sent,
      },
      bindings,
    );
    await predict(bytes);
    const response = await answer;
    expect([response.status, response.headers.get('Content-Type')]).toEqual([
      200,
      'application/octet-stream',
    ]);
    const all = new Uint8Array(await response.arrayBuffer());
    const tail = all.subarray(Number(response.headers.get('Inference-Header-Content-Length')));
    const labels = bytesElements(tail, 'label').map((label) => new TextDecoder().decode(label));
    expect(labels).toEqual(['circle', 'star']);
  });

  test('explains by a model of its own, with the array and the picture', async () => {
    const { key } = await newTenant();
    const bytes = png();
    const asked = call('POST', `${root}/v2/models/shapes-explainer/infer`, {
      key,
      body: { inputs: [image(bytes)], parameters: { method: 'grad-cam', overlay: true } },
    });
    const job = await jobAbout(bytes);
    expect(job.question.method).toBe('grad-cam');
    const array = npy([1, 2, 3], [0, 0.5, 1, -1, -0.5, 0.25]);
    await write(`${prefixOf(job)}attribution.npy`, array as never);
    await write(`${prefixOf(job)}overlay.png`, 'a picture');
    await report(job, success(job));
    const { status, body } = await asked;
    expect([status, body.model_name]).toEqual([200, 'shapes-explainer']);
    expect(output(body, 'attribution')).toMatchObject({
      ...{ shape: [1, 2, 3], data: [0, 0.5, 1, -1, -0.5, 0.25] },
    });
    expect(output(body, 'target')).toMatchObject({ shape: [1], data: [0] });
    expect(output(body, 'overlay')).toMatchObject({ data: [btoa('a picture')] });
    expect(output(body, 'convergence_delta')).toBeUndefined();
  });

  test.each([
    ['a tensor of numbers', { inputs: [{ name: 'input', datatype: 'FP32', shape: [1, 1], data: [0] }] }],
    ['nine photos', { inputs: [{ ...image(), shape: [9], data: Array(9).fill('AA==') }] }],
    ['no base 64', { inputs: [{ ...image(), shape: [1], data: ['???'] }] }],
    ['a parameter that there is not', { inputs: [image(png())], parameters: { topk: 1 } }, 'unknown_field'],
    [
      'an output that there is not',
      { inputs: [image(png())], outputs: [{ name: 'scores' }] },
      'unknown_field',
    ],
    ['no JSON', '{', 'invalid_parameter'],
    ['nesting without end', `{"inputs": ${'['.repeat(50)}`, 'invalid_json'],
  ])(
    'refuses %s, keeps nothing, and says why where clients of KServe look',
    async (_, body, code = 'invalid_parameter') => {
      const { id: tenant, key } = await newTenant();
      const refused = await call('POST', `${root}/v2/models/shapes/infer`, { key, body });
      expect([refused.status, refused.body.code]).toEqual([400, code]);
      expect(refused.body.error).toBe(refused.body.detail);
      expect(refused.headers.get('Content-Type')).toBe('application/json');
      expect(await services(bindings).uploads.listUnchecked(tenant, 1)).toEqual([]);
    },
  );

  test('A7: it takes the scopes of both things that it does, and refuses bodies of other types', async () => {
    const { key } = await newTenant();
    const path = `${root}/v2/models/shapes/infer`;
    const body = { inputs: [image(png())] };
    for (const scopes of [['explanations:write'], ['uploads:write']]) {
      const half = await newKey(key, { scopes });
      expect((await call('POST', path, { key: half, body })).body.code).toBe('insufficient_scope');
    }
    const text = { 'Content-Type': 'text/plain' };
    expect((await call('POST', path, { key, body, headers: text })).status).toBe(415);
    const large = { inputs: [{ ...image(), shape: [1], data: ['A'.repeat(5_242_880)] }] };
    expect((await call('POST', path, { key, body: large })).status).toBe(413);
  });
});
