import { type Job, sha256Hex } from '@whylight/contract';
import { expect, test, vi } from 'vitest';
import { operationIds } from './documented.ts';
import {
  bindings,
  cacheKeyOf,
  call,
  jobsTaken,
  predicted,
  prefixOf,
  put,
  report,
  success,
  write,
} from './gateway.ts';
import { putParts } from './own-model.ts';
import { RecordedExamples } from './recorded-examples.ts';
import { operatorKey } from './secrets.ts';

const bytesOf = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text) as never;

const jobAbout = (bytes: Uint8Array<ArrayBuffer>, kind: (job: Job) => boolean): Promise<Job> =>
  vi.waitFor(
    async () => {
      const url = `${bindings.WORKER_URL}/taken?image=${await sha256Hex(bytes)}`;
      const job = ((await (await fetch(url)).json()) as Job[]).findLast(kind);
      expect(job).toBeDefined();
      return job!;
    },
    { timeout: 20_000, interval: 25 },
  );

/**
 * The examples of the document are what this test sends and what it gets. `vitest run --project edge examples -u` records them
 * anew after a change.
 */
test('L17: each operation has an example that works', { timeout: 120_000 }, async () => {
  const examples = new RecordedExamples();
  const send = examples.send.bind(examples);

  await send('health.checkLive');
  // The store of these tests takes headers that are not signed, so this gateway is not ready.
  vi.spyOn(console, 'error').mockImplementation(() => {});
  await send('health.checkReady');

  const acme = { id: (await send('tenants.create', { key: operatorKey, body: { name: 'Acme' } })).body.id };
  const ofOperator = { key: operatorKey, params: acme };
  await call('POST', '/v1/operator/tenants', { key: operatorKey, body: { name: 'Beta' } });
  await send('tenants.list', { key: operatorKey, query: { limit: '1' } });
  await send('tenants.suspend', ofOperator);
  await send('tenants.resume', ofOperator);
  await send('tenants.setLimits', { ...ofOperator, body: { requests: 600, concurrency: 8 } });
  const first = await send('tenants.createKey', { ...ofOperator, body: { name: 'first' } });
  const key: string = first.body.secret;

  const bytes = bytesOf('the bytes of a photo');
  const photo = { content_type: 'image/png', content_length: bytes.length, sha256: await sha256Hex(bytes) };
  const upload = (await send('uploads.create', { key, body: photo })).body;
  await put(upload, bytes);
  await send('uploads.get', { key, params: { id: upload.id } });

  const predicting = send('predictions.create', { key, body: { input: { upload: upload.id }, top_k: 2 } });
  const asksForClasses = await jobAbout(bytes, ({ question }) => question.method === 'prediction');
  await report(asksForClasses, predicted(asksForClasses));
  await predicting;

  const hook = `${(bindings as unknown as { RECEIVER_URL: string }).RECEIVER_URL}/hook/${acme.id.slice(4)}`;
  const documentedUrl = 'https://hooks.example.com/whylight';
  const endpoint = (await send('webhookEndpoints.create', { key, body: { url: documentedUrl } })).body;
  const hooked = { key, params: { id: endpoint.id } };
  await send('webhookEndpoints.get', hooked);
  await send('webhookEndpoints.list', { key, query: { limit: '2' } });
  await send('webhookEndpoints.update', { ...hooked, body: { status: 'enabled' } });
  await send('webhookEndpoints.rotateSecret', { ...hooked, body: { grace_seconds: 3600 } });
  await call('PATCH', `/v1/webhook_endpoints/${endpoint.id}`, { key, body: { url: hook } });

  const asked = {
    input: { upload: upload.id },
    method: 'grad-cam',
    target: { type: 'class', index: 0, score: 'logit' },
    metadata: { order: '4711' },
    webhook: endpoint.id,
  };
  const idempotent = { 'Idempotency-Key': 'order-4711' };
  const explanation = (await send('explanations.create', { key, body: asked, headers: idempotent })).body;
  const explained = { key, params: { id: explanation.id } };
  const [job] = await jobsTaken(cacheKeyOf(explanation));
  await write(`${prefixOf(job!)}overlay.png`, 'a picture');
  await report(job!, success(job!));
  await send('explanations.get', { ...explained, query: { wait: '0' } });
  await send('explanations.list', { key, query: { limit: '2' } });
  await send('explanations.follow', explained);
  await send('artifacts.get', {
    key,
    params: { ...explained.params, name: 'overlay.png' },
    headers: { Accept: 'application/json' },
  });
  const style = { visualization: { color_map: 'viridis', opacity: 0.6 }, language: 'en' };
  await send('renderings.create', { ...explained, body: style });

  const delivery = await vi.waitFor(
    async () => {
      const { body } = await call('GET', `/v1/webhook_endpoints/${endpoint.id}/deliveries`, { key });
      expect(body.data[0]).toMatchObject({ status: 'delivered' });
      return body.data[0];
    },
    { timeout: 30_000, interval: 50 },
  );
  await send('webhookDeliveries.list', hooked);
  await send('webhookDeliveries.redeliver', { key, params: { id: endpoint.id, delivery: delivery.id } });

  const other = (await call('POST', '/v1/explanations', { key, body: { ...asked, method: 'saliency' } }))
    .body;
  await send('explanations.cancel', { key, params: { id: other.id } });
  await send('explanations.delete', { key, params: { id: other.id } });

  const items = [
    { input: { sha256: photo.sha256 }, method: 'grad-cam', target: { class_index: 0 } },
    { input: { sha256: photo.sha256 }, method: 'occlusion', target: { label: 'square' } },
  ];
  const batch = (await send('batches.create', { key, body: { items } })).body;
  const batched = { key, params: { id: batch.id } };
  await vi.waitFor(
    async () => expect((await call('GET', `/v1/batches/${batch.id}`, { key })).body.counts.waiting).toBe(0),
    { timeout: 30_000, interval: 50 },
  );
  await send('batches.get', batched);
  await send('batches.cancel', batched);

  const inline = bytesOf('\u0089PNG\r\n\u001a\n').slice(1);
  const png = new Uint8Array([0x89, ...inline.slice(1), ...bytesOf(' a photo in a body')]);
  const b64 = btoa(String.fromCharCode(...png));
  const explains = async (asking: Promise<unknown>, method: string) => {
    const taken = await jobAbout(png, ({ question }) => question.method === method);
    await write(`${prefixOf(taken)}overlay.png`, 'a picture');
    await report(taken, success(taken));
    await asking;
  };
  const kserve = { instances: [{ image: { b64 } }], parameters: { method: 'grad-cam', parameters: {} } };
  await explains(
    send('kserve.explain', { key, params: { model: 'shapes:explain' }, body: kserve }),
    'grad-cam',
  );
  for (const id of ['kserve.getServer', 'kserve.checkLive', 'kserve.checkReady']) await send(id);
  await send('kserve.listModels', { key });
  const served = { key, params: { model: 'shapes' } };
  for (const id of ['kserve.checkModel', 'kserve.checkModelReady', 'kserve.getModel']) await send(id, served);
  const inferring = send('kserve.infer', {
    ...served,
    body: {
      inputs: [{ name: 'image_bytes', datatype: 'BYTES', shape: [1], data: [b64] }],
      parameters: { top_k: 2 },
    },
  });
  const infers = await jobAbout(png, ({ question }) => question.method === 'prediction');
  await report(infers, predicted(infers));
  await inferring;
  const vertexPath = { project: 'mine', location: 'europe-west4', endpoint: 'shapes:explain' };
  await explains(
    send('vertex.explain', { key, params: vertexPath, body: { instances: [{ b64 }] } }),
    'integrated-gradients',
  );

  const file = bytesOf('the bytes of an ONNX file');
  const announced = {
    name: 'tea',
    sha256: await sha256Hex(file),
    content_length: file.length,
    labels: ['green', { en: 'black', zh: '红茶' }, 'white'],
    preprocessing: { size: 32, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  };
  const model = (await send('models.create', { key, body: announced })).body;
  const brought = { key, params: { id: model.id } };
  const parts = await putParts(model, file);
  await send('models.complete', { ...brought, body: { parts }, headers: { Prefer: 'wait=20' } });
  await send('models.get', { ...brought, query: { wait: '0' } });
  await send('models.list', { key, query: { limit: '2' } });
  await send('models.warm', brought);
  await send('methods.list', { key, query: { model: 'tea' } });
  await send('models.delete', brought);

  await send('limits.get', { key });
  await send('usage.list', { key });
  const wish = { name: 'robot', scopes: ['uploads:write', 'explanations:write'] };
  const robot = (
    await send('keys.create', { key, body: { ...wish, expires_at: '2999-12-31T00:00:00+01:00' } })
  ).body;
  const rotated = await send('keys.rotate', { key, params: { id: robot.id }, body: { grace_seconds: 3600 } });
  await send('keys.list', { key, query: { limit: '2' } });
  await send('keys.revoke', { key, params: { id: rotated.body.id } });
  await vi.waitFor(
    async () => {
      const { body } = await call('GET', '/v1/audit_events', { key, headers: {} });
      expect(body.data[0].action).toBe('DELETE /v1/keys/{id}');
    },
    { timeout: 30_000, interval: 50 },
  );
  await send('auditEvents.list', { key, query: { limit: '1' } });
  await send('webhookEndpoints.delete', hooked);
  await send('uploads.delete', { key, params: { id: upload.id } });

  expect(examples.ids.toSorted()).toEqual(operationIds.toSorted());
  await expect(examples.toJson()).toMatchFileSnapshot('../src/generated/examples.json');
});
