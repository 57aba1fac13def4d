import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Explanation, Model, Problem, Tenant } from '@whylight/contract';
import { onnxFile, value } from '@whylight/core/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { oddNetwork } from './service/odd-network.ts';
import { announceModel, bringModel, putParts } from './service/own-model.ts';
import { drawing } from './service/pictures.ts';
import { RunningService } from './service/running-service.ts';

type Bytes = Uint8Array<ArrayBuffer>;
/** An explanation or a problem. */
type Answer = Omit<Explanation, 'status'> & Omit<Problem, 'status'> & { status: string | number };

let service: RunningService;
let shapes: Bytes;
let labels: unknown;
let upload: string;
let drawn: Awaited<ReturnType<typeof drawing>>;

const models = new URL('../models/shapes/', import.meta.url);

beforeAll(async () => {
  service = await RunningService.start();
  shapes = new Uint8Array(await readFile(fileURLToPath(new URL('shapes.onnx', models))));
  labels = JSON.parse(await readFile(fileURLToPath(new URL('shapes.json', models)), 'utf8')).labels;
  drawn = await drawing(10);
  upload = (await service.client.upload(drawn.png, 'image/png')).id;
});
afterAll(() => service?.remove());

const ask = async (body: object, apiKey?: string) => {
  const response = await service.call('/v1/explanations', { method: 'grad-cam', ...body }, apiKey);
  return { status: response.status, body: (await response.json()) as Answer };
};
const preprocessing = {
  mean: [0.5, 0.5, 0.5],
  std: [0.5, 0.5, 0.5],
  resize_short_side: 128,
  center_crop: 128,
};

describe('a model of one’s own', () => {
  it('is uploaded in parts, examined, and explains as the same network of the service does', async () => {
    const manifest = JSON.parse(await readFile(fileURLToPath(new URL('shapes.json', models)), 'utf8'));
    const { resample: _, ...preprocessing } = manifest.preprocessing;
    const { cam_tensor } = manifest;
    const model = await bringModel(service, shapes, { name: 'mine', labels, preprocessing, cam_tensor });
    expect(model).toMatchObject({ status: 'ready', classes: 10, deterministic: true, error: null });
    expect(model.methods).toContain('integrated-gradients');
    const [own, theirs] = [
      await ask({ input: { upload }, model: 'mine' }),
      await ask({ input: { upload }, model: 'shapes' }),
    ];
    expect(own.body).toMatchObject({ status: 'succeeded', model: { id: model.id, digest: model.digest } });
    const { artifacts, output_display_name } = own.body.attributions[0]!;
    expect(output_display_name).toBe(drawn.label);
    expect(artifacts.attribution.sha256).toBe(theirs.body.attributions[0]!.artifacts.attribution.sha256);
  });

  it('E6: says of a method that does not work which node is in its way, before anything is computed', async () => {
    const model = await bringModel(service, oddNetwork(), { name: 'odd' });
    const before = await service.counter('whylight_jobs_accepted_total');
    const { status, body } = await ask({ input: { upload }, model: model.id, method: 'saliency' });
    expect([status, body.code]).toEqual([422, 'method_not_supported']);
    expect(body.detail).toMatch(/no derivative rule for Hardmax: node "odd"\. .*occlusion/);
    expect(await service.counter('whylight_jobs_accepted_total')).toBe(before);
    const parameters = { sliding_window_shapes: [3, 64, 64], strides: [3, 64, 64] };
    const other = await ask({ input: { upload }, model: model.id, method: 'occlusion', parameters });
    expect(other.body.status).toBe('succeeded');
  });

  it('takes the layers that its report names, and no other: nor does a model of the service', async () => {
    const mine = await bringModel(service, shapes, { name: 'layered', labels });
    const { layers } = mine.report!;
    for (const model of ['layered', 'shapes']) {
      for (const layer of [layers[0]!.name, layers.at(-1)!.name, `-${layers.length}`])
        expect((await ask({ input: { upload }, model, layers: [layer] })).body.status, layer).toBe(
          'succeeded',
        );
      const before = await service.counter('whylight_jobs_accepted_total');
      const { status, body } = await ask({ input: { upload }, model, layers: [`${layers[0]!.name}x`] });
      expect([status, body.code, body.errors?.[0]?.pointer]).toEqual([400, 'invalid_parameter', '/layers/0']);
      expect(body.detail).toContain(`Did you mean "${layers[0]!.name}"?`);
      expect(await service.counter('whylight_jobs_accepted_total')).toBe(before);
    }
  });

  const relu = { opType: 'Relu', name: 'relu', input: ['image'], output: ['y'] };
  it.each([
    [
      'E1: keeps data outside itself',
      onnxFile({ initializer: [{ name: 'w', dims: [2n], dataType: 1, dataLocation: 1 }] }),
      'model_external_data_forbidden',
    ],
    [
      'E2: has an operator of its own',
      onnxFile({ node: [{ ...relu, domain: 'x' }] }),
      'model_unsupported_op',
    ],
    [
      'E3: takes two pictures',
      onnxFile({ input: [value('a', 1, 3, 4, 4), value('b', 1, 3, 4, 4)] }),
      'invalid_model',
    ],
    [
      'E4: loops',
      onnxFile({ node: [{ ...relu, attribute: [{ name: 'body', type: 5, g: {} }] }] }),
      'model_unsupported_op',
    ],
    ['is no model', new Uint8Array(100), 'invalid_model'],
  ])('that %s is refused by name', async (what, bytes, code) => {
    const name = `bad-${what.length}`;
    const model = await bringModel(service, bytes as Bytes, { name });
    expect([model.status, model.error?.code, model.report]).toEqual(['rejected', code, null]);
    const { status, body } = await ask({ input: { upload }, model: name });
    expect([status, body.code]).toEqual([422, code]);
    // E14
    expect(body.detail).not.toMatch(/node_modules|\.ts\b|\/src\/|\/tmp\//);
  });

  it('E13: that is not what was announced is refused', async () => {
    const other = shapes.map((byte, i) => (i === shapes.length - 1 ? byte ^ 1 : byte));
    const model = await announceModel(service, shapes, { name: 'other', preprocessing });
    const response = await service.call(model.urls.complete!, { parts: await putParts(model, other) });
    expect(await response.json()).toMatchObject({
      status: 'rejected',
      error: { code: 'upload_mismatch', message: expect.stringMatching(/expected sha256 \w+, got/) },
    });
  });

  it('E10: is gone for good when it is deleted', async () => {
    const model = await bringModel(service, shapes, { name: 'short-lived' });
    expect((await ask({ input: { upload }, model: model.id })).body.status).toBe('succeeded');
    const headers = { Authorization: `Bearer ${service.ready.api_key}` };
    const url = new URL(model.urls.self, service.ready.url);
    expect((await fetch(url, { method: 'DELETE', headers })).status).toBe(204);
    expect((await ask({ input: { upload }, model: model.id })).status).toBe(404);
    expect((await service.call(model.urls.self)).status).toBe(404);
  });

  it('A5: is nothing to another tenant, whose own one of the same bytes is another', async () => {
    const response = await service.call(
      '/v1/operator/tenants',
      { name: 'second' },
      service.ready.operator_key,
    );
    const { key } = (await response.json()) as Tenant;
    const [mine] = ((await (await service.call('/v1/models')).json()) as { data: Model[] }).data.filter(
      ({ own, status }) => own && status === 'ready',
    );
    const client = service.clientOf(key.secret);
    const input = { upload: (await client.upload(drawn.png, 'image/png')).id };
    expect((await ask({ input, model: mine!.id }, key.secret)).status).toBe(404);
    expect((await ask({ input, model: mine!.name }, key.secret)).status).toBe(404);
    expect((await client.models()).map(({ name }) => name)).toEqual(['shapes', 'efficientnet-lite0']);
    const own = await bringModel(service, shapes, { name: mine!.name }, key.secret);
    expect([own.status, own.id === mine!.id]).toEqual(['ready', false]);
  });
});
