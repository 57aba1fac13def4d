import { createHash } from 'node:crypto';
import { artifactNames, type Explanation, type Tenant } from '@whylight/contract';
import { readNpy } from '@whylight/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drawing, pngSize } from './service/pictures.ts';
import { RunningService, survivors } from './service/running-service.ts';

let service: RunningService;
let upload: string;
let photo: Awaited<ReturnType<typeof drawing>>;

beforeAll(async () => {
  service = await RunningService.start();
  photo = await drawing(10);
  upload = (await service.client.upload(photo.png, 'image/png')).id;
});
afterAll(() => service?.remove());

const secondTenant = async (): Promise<string> => {
  const response = await service.call('/v1/operator/tenants', { name: 'second' }, service.ready.operator_key);
  return ((await response.json()) as Tenant).key.secret;
};

describe('one photo, from signed upload to cached explanation', () => {
  it('answers with the class, and with artifacts that are what they say', async () => {
    const { explanation, cacheStatus } = await service.client.explain({
      input: { upload },
      method: 'grad-cam',
    });
    expect(explanation).toMatchObject({ status: 'succeeded', error: null, cache: { status: 'miss' } });
    expect(cacheStatus).not.toContain('hit');
    const [attribution] = explanation.attributions;
    expect(attribution).toMatchObject({
      output_display_name: photo.label,
      shape: [1, 128, 128],
      image: { width: 300, height: 300 },
    });

    const fetched = await Promise.all(
      artifactNames.map((name) => service.client.artifact(explanation.id, name)),
    );
    for (const { name, sha256, bytes } of Object.values(attribution!.artifacts)) {
      const got = fetched[(artifactNames as readonly string[]).indexOf(name)]!;
      expect([got.length, createHash('sha256').update(got).digest('hex')], name).toEqual([bytes, sha256]);
    }
    const [overlay, heatmap, array, result] = fetched as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
    expect(pngSize(overlay)).toEqual([300, 300]);
    expect(Math.min(...pngSize(heatmap))).toBeGreaterThanOrEqual(300);
    expect(readNpy(array)).toMatchObject({ dtype: 'float32', shape: [1, 128, 128] });
    expect(JSON.parse(new TextDecoder().decode(result))).toMatchObject({ target: { label: photo.label } });
  });

  it('answers the same question from the cache, spelled otherwise too, and the worker does nothing', async () => {
    const first = await service.client.explain({ input: { upload }, method: 'grad-cam' });
    const before = await Promise.all([
      service.counter('whylight_graph_runs_total'),
      service.counter('whylight_jobs_accepted_total'),
    ]);
    expect(before[0]).toBeGreaterThan(0);
    const again = await service.client.explain({
      input: { upload },
      model: 'shapes',
      method: 'grad-cam',
      target: 'predicted',
      parameters: { normalized: true },
      convention: 'paper',
    });
    expect(again.cacheStatus).toBe('whylight; hit');
    expect(again.explanation.cache).toEqual({ status: 'hit', key: first.explanation.cache.key });
    expect(again.explanation.attributions[0]!.artifacts.overlay.sha256).toBe(
      first.explanation.attributions[0]!.artifacts.overlay.sha256,
    );
    const after = await Promise.all([
      service.counter('whylight_graph_runs_total'),
      service.counter('whylight_jobs_accepted_total'),
    ]);
    expect(after).toEqual(before);
  });

  it('H9: draws it in another way without the network, and fetches what it says', async () => {
    const { explanation } = await service.client.explain({ input: { upload }, method: 'grad-cam' });
    const before = await service.counter('whylight_graph_runs_total');
    const visualization = { color_map: 'viridis', opacity: 0.8, clip_percent_lowerbound: 60 } as const;
    const { artifacts, cache } = await service.client.render(explanation.id, { visualization });
    expect(cache.status).toBe('miss');
    const picture = await service.client.download(artifacts.overlay);
    expect(createHash('sha256').update(picture).digest('hex')).toBe(artifacts.overlay.sha256);
    expect(pngSize(picture)).toEqual([300, 300]);
    expect(artifacts.overlay.sha256).not.toBe(explanation.attributions[0]!.artifacts.overlay.sha256);
    const asked = await service.client.explain({
      input: { upload },
      method: 'grad-cam',
      output: { visualization },
    });
    expect(asked.cacheStatus).toBe('whylight; hit');
    expect(asked.explanation.attributions[0]!.artifacts.overlay.sha256).toBe(artifacts.overlay.sha256);
    expect(await service.counter('whylight_graph_runs_total')).toBe(before);
  });

  it('says what it shows, and a batch of the rest', async () => {
    const { predictions } = await service.client.predict({ input: { upload }, top_k: 3 });
    expect([predictions.length, predictions[0]!.label]).toEqual([3, photo.label]);
    const items = ['grad-cam', 'input-x-gradient', 'grad-scam'].map((method) => ({
      input: { upload },
      method,
    }));
    const { batches } = service.client;
    const ended = await batches.ended(await batches.create(items));
    expect(ended.counts).toMatchObject({ total: 3, succeeded: 2, refused: 1 });
    expect((await batches.cancel(ended.id)).counts).toEqual(ended.counts);
  });

  it('keeps endpoints for webhooks, whose secrets are shown once', async () => {
    const { webhookEndpoints } = service.client;
    const { secret, ...made } = await webhookEndpoints.create('https://example.com/hook');
    const listed = [];
    for await (const endpoint of webhookEndpoints.list()) listed.push(endpoint);
    expect(listed).toEqual([made]);
    const rotated = await webhookEndpoints.rotateSecret(made.id, 60);
    expect(rotated.secret).not.toBe(secret);
    expect(Date.parse(rotated.previous_secret_until!)).toBeGreaterThan(Date.now());
    expect((await webhookEndpoints.change(made.id, { status: 'disabled' })).status).toBe('disabled');
    expect((await webhookEndpoints.deliveries(made.id).next()).done).toBe(true);
    await webhookEndpoints.remove(made.id);
    await expect(webhookEndpoints.get(made.id)).rejects.toMatchObject({ status: 404 });
  });

  it('computes once what fifty ask at the same time', async () => {
    const before = await service.counter('whylight_explanations_total');
    const ask = async () => {
      const response = await service.call('/v1/explanations', { input: { upload }, method: 'saliency' });
      const made = (await response.json()) as Explanation;
      return service.client.explanation(made.id, { wait: 60 });
    };
    const answers = await Promise.all(Array.from({ length: 50 }, ask));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set(['succeeded']));
    expect(new Set(answers.map(({ cache }) => cache.key)).size).toBe(1);
    expect(answers.filter(({ cache }) => cache.status === 'miss')).toHaveLength(1);
    expect((await service.counter('whylight_explanations_total')) - before).toBe(1);
  });
});

describe('two tenants', () => {
  it('share no result: the same question of the second one is computed again', async () => {
    const key = await secondTenant();
    const before = await service.counter('whylight_explanations_total');
    const other = service.clientOf(key);
    const own = await other.upload(photo.png, 'image/png');
    expect(own.upload).not.toBeNull();
    const { explanation } = await other.explain({ input: { upload: own.id }, method: 'grad-cam' });
    expect(explanation).toMatchObject({ status: 'succeeded', cache: { status: 'miss' } });
    expect((await service.counter('whylight_explanations_total')) - before).toBe(1);
  });

  it('see of each other what they see of nothing', async () => {
    const key = await secondTenant();
    const { explanation } = await service.client.explain({ input: { upload }, method: 'grad-cam' });
    const missing = `exp_${'0'.repeat(26)}`;
    const answer = async (path: string, body?: unknown) => {
      const response = await service.call(path, body, key);
      const { request_id: _, instance: __, ...problem } = (await response.json()) as Record<string, unknown>;
      return [response.status, problem];
    };
    const pairs = [
      ['/v1/explanations/', explanation.id, missing, ''],
      ['/v1/explanations/', explanation.id, missing, '/artifacts/overlay.png'],
      ['/v1/uploads/', upload, `upl_${'0'.repeat(26)}`, ''],
    ] as const;
    for (const [before, foreign, absent, after] of pairs) {
      const seen = await answer(before + foreign + after);
      expect(seen[0]).toBe(404);
      expect(seen).toEqual(await answer(before + absent + after));
    }
    const asked = (id: string) => answer('/v1/explanations', { input: { upload: id }, method: 'grad-cam' });
    expect(await asked(upload)).toEqual(await asked(`upl_${'0'.repeat(26)}`));
    const list = (await (await service.call('/v1/explanations', undefined, key)).json()) as {
      data: unknown[];
    };
    expect(list.data).toEqual([]);
  });
});

describe('start and stop', () => {
  it('logs what its parts say, and nothing that Miniflare has to say of itself', () => {
    expect(service.log.length).toBeGreaterThan(1);
    for (const line of service.log) expect(line).toMatch(/^worker: \{"time":/);
  });

  it('leaves no process behind, and after a restart keys and results are the same', async () => {
    const { ready, directory } = service;
    const started = await service.descendants();
    expect(started.length).toBeGreaterThanOrEqual(4);
    expect(await service.end()).toBe(0);
    expect(await survivors(started)).toEqual([]);

    service = await RunningService.start({ directory });
    const elsewhere = { url: '', store_url: '', worker_url: '' };
    expect({ ...service.ready, ...elsewhere }).toEqual({ ...ready, ...elsewhere });
    const { cacheStatus } = await service.client.explain({ input: { upload }, method: 'grad-cam' });
    expect(cacheStatus).toBe('whylight; hit');
  });

  it('leaves no process behind even when it is killed', async () => {
    const started = await service.descendants();
    expect(await service.end('SIGKILL')).toBe('SIGKILL');
    expect(await survivors(started)).toEqual([]);
  });
});
