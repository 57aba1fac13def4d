import { runDurableObjectAlarm } from 'cloudflare:test';
import { type Job, sha256Hex } from '@whylight/contract';
import { describe, expect, test, vi } from 'vitest';
import { app } from '../src/app.ts';
import { services } from '../src/services.ts';
import { bindings, call, newKey, newTenant, prefixOf, report, success, write } from './gateway.ts';

const kserve = '/v1/compat/kserve/v1/models/shapes:explain';
const vertex = '/v1/compat/vertex/v1/projects/mine/locations/europe-west4/endpoints/shapes:explain';

/** Bytes that begin as a PNG does, and that no other test has. */
function png(length = 100): Uint8Array<ArrayBuffer> {
  const bytes = crypto.getRandomValues(new Uint8Array(length));
  bytes.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return bytes;
}
const base64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));

/** The next job about that photo. */
async function jobAbout(bytes: Uint8Array<ArrayBuffer>): Promise<Job> {
  const image = await sha256Hex(bytes);
  return vi.waitFor(
    async () => {
      const all = (await (await fetch(`${bindings.WORKER_URL}/taken?image=${image}`)).json()) as Job[];
      expect(all).not.toHaveLength(0);
      return all[0]!;
    },
    { timeout: 20_000, interval: 25 },
  );
}

/** How many uploads and explanations the tenant has. */
const keptBy = (tenant: string): Promise<unknown[]> =>
  Promise.all(
    ['uploads', 'explanations'].map((table) =>
      bindings.DB.prepare(`SELECT COUNT(*) AS n FROM ${table} WHERE tenant = ?`).bind(tenant).first('n'),
    ),
  );

/** Does the worker's part for the next job about that photo. */
async function work(bytes: Uint8Array<ArrayBuffer>, result: object = {}): Promise<Job> {
  const job = await jobAbout(bytes);
  await write(`${prefixOf(job)}overlay.png`, 'a picture');
  const done = success(job);
  await report(job, { ...done, result: { ...done.result, ...result } });
  return job;
}

describe('KServe', () => {
  test('a name that no model can have is refused like one that none has', async () => {
    const { key } = await newTenant();
    const body = { instances: [{ b64: base64(png()) }] };
    for (const [path, segments] of [
      [kserve, 'shapes'],
      [vertex, 'shapes'],
    ] as const) {
      const answer = await call('POST', path.replace(segments, 'x'.repeat(300)), { key, body });
      expect([answer.status, answer.body.code]).toEqual([404, 'resource_not_found']);
    }
  });

  test('a number that no double holds is refused, and no fault of this side', async () => {
    const { key } = await newTenant();
    const body = `{"instances": [{"b64": "${base64(png())}"}], "parameters": {"method": "integrated-gradients", "parameters": {"n_steps": 1e999}}}`;
    const answer = await call('POST', kserve, { key, body });
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_parameter']);
  });

  test('a photo in the body is an ordinary upload, and what comes of it an ordinary explanation', async () => {
    const { id: tenant, key } = await newTenant();
    const bytes = png();
    const body = {
      instances: [{ image: { b64: base64(bytes) } }],
      parameters: { method: 'grad-cam', parameters: {} },
    };
    const asked = call('POST', kserve, { key, body });
    const job = await work(bytes);
    expect(job.question).toMatchObject({ method: 'grad-cam', target: 'predicted' });
    const { status, body: answer } = await asked;
    expect(status).toBe(200);
    expect(answer.predictions).toEqual([
      [{ class_index: 0, label: 'circle', probability: 0.75, score: 3.5 }],
    ]);
    expect(answer.explanations[0]).toMatchObject({
      method: 'grad-cam',
      target: { label: 'circle' },
      shape: [128, 128],
      sum: 12.5,
      overlay: { b64_png: btoa('a picture') },
    });
    const { self } = answer.explanations[0].urls;
    expect((await call('GET', self, { key })).body).toMatchObject({ status: 'succeeded' });
    const [row] = await services(bindings).uploads.listByHash(tenant, await sha256Hex(bytes));
    expect(row).toMatchObject({ content_type: 'image/png', content_length: 100 });
    expect(job.input.object).toBe(row!.object);

    const again = await call('POST', kserve, { key, body });
    expect(again.body.explanations[0].overlay).toEqual(answer.explanations[0].overlay);
    expect((await call('GET', '/v1/usage', { key })).body.data[0].explanations).toBe(1);
    expect(await services(bindings).uploads.listByHash(tenant, await sha256Hex(bytes))).toHaveLength(1);
  });

  test('C9: a photo whose bytes did not get into the store is deleted like any other upload', async () => {
    const { id: tenant, key } = await newTenant();
    const headers = { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' };
    const body = JSON.stringify({ instances: [{ b64: base64(png()) }] });
    const asked = app.request(
      kserve,
      { method: 'POST', headers, body },
      { ...bindings, S3_BUCKET: 'nowhere' },
    );
    expect((await asked).status).toBe(503);
    // The store refuses signatures of tomorrow: the row is made a day older instead.
    const yesterday = new Date(Date.now() - 25 * 3_600_000).toISOString();
    await bindings.DB.prepare('UPDATE uploads SET created_at = ? WHERE tenant = ?')
      .bind(yesterday, tenant)
      .run();
    expect(await runDurableObjectAlarm(bindings.TENANT_CLEANUP.getByName(tenant))).toBe(true);
    const swept = bindings.DB.prepare('SELECT swept FROM uploads WHERE tenant = ?').bind(tenant);
    expect(await swept.first('swept')).toBe('expired');
  });

  test('J1: what is nested too deep is refused, with nothing of it stored', async () => {
    const { id: tenant, key } = await newTenant();
    const deep = `${'['.repeat(10_000)}${']'.repeat(10_000)}`;
    const body = `{"instances":[{"b64":"${base64(png())}"}],"parameters":{"method":"grad-cam","parameters":{"normalized":${deep}}}}`;
    const refused = await call('POST', kserve, { key, body });
    expect([refused.status, refused.body.code]).toEqual([400, 'invalid_json']);
    expect(await services(bindings).uploads.listUnchecked(tenant, 1)).toEqual([]);
    const brackets = { method: `\\"${'['.repeat(40)}`, parameters: {} };
    const harmless = { instances: [{ b64: base64(png()) }], parameters: brackets };
    expect((await call('POST', kserve, { key, body: harmless })).body.detail).toContain('There is no method');
  });

  test('every form of an instance is read', async () => {
    const { key } = await newTenant();
    const photos = [png(), png(), png(), png()];
    const [a, b, c, d] = photos.map(base64) as [string, string, string, string];
    const instances = [{ b64: a }, { image: { b64: b } }, { image_bytes: { b64: c } }, { data: d }];
    const asked = call('POST', kserve, { key, body: { instances, parameters: { method: 'saliency' } } });
    await Promise.all(photos.map((bytes) => work(bytes)));
    expect((await asked).body.explanations).toHaveLength(4);
  });

  test.each([
    ['no base 64', { b64: '???' }, 400, 'invalid_parameter'],
    ['no photo', { b64: btoa('hello') }, 415, 'unsupported_media_type'],
    ['an SVG', { b64: btoa('<svg xmlns="http://www.w3.org/2000/svg"/>') }, 415, 'unsupported_media_type'],
    ['a URL', 'https://example.org/cat.png', 400, 'invalid_parameter'],
  ])('%s is refused by its place', async (_, instance, status, code) => {
    const { key } = await newTenant();
    const answer = await call('POST', kserve, { key, body: { instances: [instance] } });
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(answer.body.errors[0].pointer).toContain('/instances/0');
  });

  test('J7: a body of more than 5 MiB, and more than eight photos, are refused', async () => {
    const { key } = await newTenant();
    const large = await call('POST', kserve, { key, body: { instances: [{ b64: 'A'.repeat(5_242_880) }] } });
    expect([large.status, large.body.code]).toEqual([413, 'payload_too_large']);
    const instances = Array.from({ length: 9 }, () => ({ b64: base64(png()) }));
    expect((await call('POST', kserve, { key, body: { instances } })).status).toBe(400);
  });

  test('A7: it takes the scopes of both things that it does', async () => {
    const { key } = await newTenant();
    const body = { instances: [{ b64: base64(png()) }] };
    for (const scopes of [['explanations:write'], ['uploads:write']]) {
      const half = await newKey(key, { scopes });
      expect((await call('POST', kserve, { key: half, body })).body.code).toBe('insufficient_scope');
    }
  });

  test('what there is not is not there and keeps nothing, and what fails says why', async () => {
    const { id: tenant, key } = await newTenant();
    const bytes = png();
    const body = { instances: [{ b64: base64(bytes) }], parameters: { method: 'grad-cam' } };
    for (const model of ['shapes', 'shapes:infer', 'nothing:explain'])
      expect((await call('POST', `/v1/compat/kserve/v1/models/${model}`, { key, body })).status).toBe(404);
    const wrong = { ...body, parameters: { method: 'grad-can' } };
    expect((await call('POST', kserve, { key, body: wrong })).body.detail).toContain('grad-cam');
    const unknown = '/v1/compat/kserve/v1/models/nothing:predict';
    expect((await call('POST', unknown, { key, body: { instances: body.instances } })).status).toBe(404);
    const second = { ...body, instances: [...body.instances, { b64: btoa('hello') }] };
    expect((await call('POST', kserve, { key, body: second })).status).toBe(415);
    expect(await keptBy(tenant)).toEqual([0, 0]);
  });
});

test('J7: of many large pictures the heat maps are sent, as many as one answer has room for', async () => {
  const { key } = await newTenant();
  const photos = Array.from({ length: 5 }, () => png());
  const body = { instances: photos.map((bytes) => ({ b64: base64(bytes) })) };
  const asked = call('POST', kserve, { key, body });
  for (const [i, bytes] of photos.entries()) {
    const job = await jobAbout(bytes);
    for (const name of ['overlay.png', 'heatmap.png']) await write(prefixOf(job) + name, name);
    const done = success(job);
    const sizes = { bytes: i === 0 ? 3_000_000 : 4_000_000 };
    await report(job, { ...done, artifacts: done.artifacts.map((artifact) => ({ ...artifact, ...sizes })) });
  }
  const { explanations } = (await asked).body;
  const pictures = explanations.map(({ overlay }: { overlay: { b64_png: string } }) => atob(overlay.b64_png));
  expect(pictures).toEqual(['overlay.png', ...Array(4).fill('heatmap.png')]);
});

describe('Vertex AI', () => {
  test('its methods have their names here, and its answer has its members', async () => {
    const { key } = await newTenant();
    const bytes = png();
    const body = {
      instances: [{ image_bytes: { b64: base64(bytes) } }],
      explanationSpecOverride: { parameters: { integratedGradientsAttribution: { stepCount: 25 } } },
    };
    const asked = call('POST', vertex, { key, body });
    const attribution = { shape: [3, 128, 128], minimum: -1, maximum: 1, sum: 10, convergence_delta: 0.5 };
    const job = await work(bytes, { attribution });
    expect(job.question).toMatchObject({ method: 'integrated-gradients', parameters: { n_steps: 25 } });
    const { status, body: answer } = await asked;
    expect(status).toBe(200);
    expect(answer).toEqual({
      deployedModelId: 'shapes',
      explanations: [
        {
          attributions: [
            {
              outputIndex: [0],
              outputDisplayName: 'circle',
              outputName: 'logits',
              instanceOutputValue: 3.5,
              approximationError: 0.5 / 9.5,
              featureAttributions: { image: { b64_png: btoa('a picture') } },
            },
          ],
        },
      ],
      predictions: [{ ids: ['0'], displayNames: ['circle'], confidences: [0.75] }],
    });
  });

  test('what it does not have is refused by name', async () => {
    const { key } = await newTenant();
    const instances = [{ b64: base64(png()) }];
    const override = { parameters: { xraiAttribution: { stepCount: 25 } } };
    const refused = await call('POST', vertex, {
      key,
      body: { instances, explanationSpecOverride: override },
    });
    expect([refused.status, refused.body.code, refused.body.errors[0].pointer]).toEqual([
      400,
      'unknown_field',
      '/explanationSpecOverride/parameters/xraiAttribution',
    ]);
  });
});
