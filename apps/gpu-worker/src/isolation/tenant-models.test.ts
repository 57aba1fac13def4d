import { readdir, readFile, readlink } from 'node:fs/promises';
import type { Job, ModelManifest } from '@whylight/contract';
import { ModelRegistry, shapesModel } from '@whylight/host';
import { colourNetwork } from '@whylight/host/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { bareManifest, bring, bringOf, followReads, jobOf, processes } from '../testing/tenant-model.ts';
import { createWorld, disc, MemoryStorage, secret, type World } from '../testing/world.ts';

let world: World;
afterEach(() => world?.close(), 30_000);

/** A forward pass for each of 16 384 pixels: long enough to be met on the way. */
const long = {
  method: 'occlusion',
  parameters: { sliding_window_shapes: [3, 1, 1], strides: [3, 1, 1] },
};
const wide = () => colourNetwork({ side: 128 });

let keys = 0;
/** Another question than those before. */
const another = (): Pick<Job, 'key' | 'output_prefix'> => {
  const key = String(++keys).padStart(64, '0');
  return { key, output_prefix: `t/acme/x/${key}/1/` };
};

/** How a job ends; what was said of earlier ones is forgotten. */
async function ended(job: Job) {
  world.gateway.reports.length = 0;
  expect((await world.post(job)).status).toBe(202);
  return world.ending();
}

const loads = () => world.metric('whylight_model_loads_total');

describe('a tenant’s model', () => {
  test('explains as one of the worker’s own does', async () => {
    world = await createWorld();
    const photo = await disc();
    const [shapes] = (await ModelRegistry.open([shapesModel])).list();
    const { labels, manifest } = shapes!;
    const preprocessing = structuredClone(manifest.preprocessing) as ModelManifest['preprocessing'];
    const own = bring(world, await shapes!.bytes(), {
      manifest: {
        ...bareManifest,
        ...{ labels: [...labels!], preprocessing, cam_tensor: manifest.cam_tensor ?? null },
      },
    });
    const given = { ...another(), question: { method: 'integrated-gradients' } };
    const [theirs, ours] = [await world.prepared(photo, given), await jobOf(world, own, given)];
    const artifacts = async (job: Job) => {
      expect(await ended(job)).toMatchObject({ status: 'succeeded' });
      return ['overlay.png', 'attribution.npy'].map((name) =>
        world.storage.objects.get(world.prefixOf(job) + name),
      );
    };
    expect(await artifacts({ ...ours, ...another() })).toEqual(await artifacts(theirs));
    expect(await world.metric('whylight_explanations_total')).toBe(2);
    expect(await world.metric('whylight_graph_runs_total')).toBeGreaterThan(2);
  });

  test('is in a process that has no secret, no place to write, and bounds', async () => {
    world = await createWorld();
    await ended(await jobOf(world, bring(world), another()));
    const [pid] = await processes();
    const environment = (await readFile(`/proc/${pid}/environ`, 'latin1')).split('\0');
    expect(environment.join('\n')).not.toContain(secret);
    expect(environment.filter((entry) => /SECRET|KEY|S3_|HOME/.test(entry))).toEqual([]);
    expect(await readdir(await readlink(`/proc/${pid}/cwd`))).toEqual([]);
    const limits = await readFile(`/proc/${pid}/limits`, 'latin1');
    expect(limits).toMatch(new RegExp(`^Max data size +${3072 * 2 ** 20} `, 'm'));
    expect(limits).toMatch(/^Max core file size +0 /m);
    expect(limits).toMatch(/^Max file size +0 /m);
  });

  test('F7: is loaded once, kept while it is used, and gives way to others', async () => {
    world = await createWorld({ MODEL_PROCESSES: 2 });
    const models = [bring(world), bring(world), bring(world)];
    const use = async (n: number) =>
      expect(await ended(await jobOf(world, models[n]!, another()))).toMatchObject({ status: 'succeeded' });
    for (const n of [0, 0, 1, 0]) await use(n);
    expect([await loads(), (await processes()).length]).toEqual([2, 2]);
    for (const n of [2, 0]) await use(n);
    expect([await loads(), (await processes()).length]).toEqual([3, 2]);
    await use(1);
    expect([await loads(), (await processes()).length]).toEqual([4, 2]);
    expect(await world.metric('whylight_model_processes')).toBe(2);
    expect(await world.metric('whylight_model_memory_bytes')).toBeGreaterThan(50e6);
  });

  test('F7: gives way when there is too much memory in use', async () => {
    world = await createWorld({ MODEL_PROCESSES_MB: 50 });
    for (const model of [bring(world), bring(world)]) await ended(await jobOf(world, model, another()));
    expect((await processes()).length).toBe(1);
  });

  test('goes when nobody has used it for a while', async () => {
    world = await createWorld({ MODEL_IDLE_SECONDS: 1 });
    await ended(await jobOf(world, bring(world), another()));
    expect((await processes()).length).toBe(1);
    await expect.poll(processes, { timeout: 20_000 }).toEqual([]);
  });

  test('is loaded ahead of the first job on demand', async () => {
    world = await createWorld();
    const model = bring(world);
    const body = JSON.stringify({ model, request_id: 'req_test' });
    expect((await world.call('POST', '/v1/warm', body)).status).toBe(202);
    expect((await world.call('POST', '/v1/warm', '{}')).status).toBe(400);
    expect((await world.call('POST', '/v1/warm', body, {})).status).toBe(401);
    const other = JSON.stringify({ model: bring(world), request_id: 'req_test' });
    expect((await world.call('POST', '/v1/warm', other)).status).toBe(503);
    expect((await world.call('POST', '/v1/warm', body)).status).toBe(202);
    await expect.poll(() => world.lines.join(), { timeout: 20_000 }).toContain('model_warm');
    await ended(await jobOf(world, model, another()));
    expect(await loads()).toBe(1);
    expect((await world.call('POST', '/v1/warm', other)).status).toBe(202);
  });
});

describe('models of several tenants', () => {
  const ofTenant = (tenant: string) => {
    const { key } = another();
    return { key, output_prefix: `t/${tenant}/x/${key}/1/` };
  };

  test('L8: one tenant’s many models never take the process of another’s only one', async () => {
    world = await createWorld({ MODEL_PROCESSES: 2 });
    const read = followReads(world);
    const quiet = bringOf(world, 'quiet');
    const noisy = [bringOf(world, 'noisy'), bringOf(world, 'noisy')];
    const use = async (tenant: string, model: typeof quiet) =>
      expect(await ended(await jobOf(world, model, ofTenant(tenant)))).toMatchObject({ status: 'succeeded' });
    await use('quiet', quiet);
    for (const model of noisy) await use('noisy', model);
    await use('quiet', quiet);
    expect(read).toEqual([quiet, ...noisy].map(({ object }) => object));
  });

  test('L8: a tenant with jobs for many models leaves a process to the next tenant', async () => {
    world = await createWorld({ MODEL_PROCESSES: 3, DRAIN_SECONDS: 0 });
    const read = followReads(world);
    const noisy = [1, 2, 3].map(() => bringOf(world, 'noisy'));
    const gate = Promise.withResolvers<void>();
    const get = world.storage.get.bind(world.storage);
    // Each of its jobs holds the process of its model.
    world.storage.get = async (object) => {
      const bytes = get(object);
      if (noisy.some((model) => model.object === object)) await gate.promise;
      return bytes;
    };
    for (const model of noisy) await world.post(await jobOf(world, model, ofTenant('noisy')));
    await expect.poll(() => read.length, { timeout: 20_000 }).toBe(2);
    const quiet = bringOf(world, 'quiet');
    await world.post(await jobOf(world, quiet, ofTenant('quiet')));
    expect(await world.ending()).toMatchObject({ status: 'succeeded' });
    expect(read).toEqual([noisy[0]!.object, noisy[1]!.object, quiet.object]);
    gate.resolve();
  });
});

describe('a tenant’s model that goes wrong', () => {
  test('E8: gives scores that are no numbers', async () => {
    world = await createWorld();
    const model = bring(world, colourNetwork({ bias: [Number.NaN, 0, 0] }));
    expect(await ended(await jobOf(world, model, another()))).toMatchObject({
      error: { code: 'non_finite_output', retryable: false },
    });
  });

  test('E10: is deleted, also while it is loaded', async () => {
    world = await createWorld();
    const model = bring(world);
    await ended(await jobOf(world, model, another()));
    world.storage.objects.delete(model.object);
    expect(await ended(await jobOf(world, model, another()))).toMatchObject({
      error: { code: 'model_deleted', message: 'the model has been deleted', retryable: false },
    });
  });

  test('E13: is other bytes by the time it is loaded', async () => {
    world = await createWorld();
    const model = bring(world);
    world.storage.objects.set(model.object, { bytes: colourNetwork({ bias: [1, 2, 3] }), about: null });
    expect(await ended(await jobOf(world, model, another()))).toMatchObject({
      error: { code: 'upload_mismatch', message: expect.stringMatching(/^the model: expected sha256/) },
    });
    expect(await processes()).toEqual([]);
  });

  test('F14: crashes: its own job fails, another’s goes on, and the next one of its own is well', async () => {
    world = await createWorld({ CONCURRENCY: 3 });
    const [victim, other] = [bring(world, wide()), bring(world, wide())];
    await ended(await jobOf(world, victim, another()));
    const [first] = await processes();
    world.gateway.reports.length = 0;
    await world.post(await jobOf(world, victim, { ...another(), attempt: 7, question: long }));
    const shorter = { method: 'occlusion', parameters: { strides: [3, 8, 8] } };
    await world.post(await jobOf(world, other, { ...another(), attempt: 8, question: shorter }));
    await expect
      .poll(() => world.gateway.reports.map(({ attempt, status }) => `${attempt} ${status}`), {
        timeout: 20_000,
      })
      .toContain('7 progress');
    process.kill(first!, 'SIGKILL');
    const ends = () =>
      world.gateway.reports.filter(({ status }) => status === 'failed' || status === 'succeeded');
    await expect.poll(ends, { timeout: 45_000 }).toHaveLength(2);
    expect(ends().toSorted((a, b) => a.attempt - b.attempt)).toMatchObject([
      { attempt: 7, status: 'failed', error: { code: 'worker_crashed', retryable: true } },
      { attempt: 8, status: 'succeeded' },
    ]);
    expect(JSON.stringify(ends())).not.toMatch(/SIGKILL|node_modules/);
    expect(await ended(await jobOf(world, victim, another()))).toMatchObject({ status: 'succeeded' });
  });

  test('F14: is loaded for all who wait for it, also when the first of them no longer does', async () => {
    const storage = new MemoryStorage();
    world = await createWorld({ CONCURRENCY: 3 }, storage);
    const model = bring(world);
    const loaded = Promise.withResolvers<void>();
    const get = storage.get.bind(storage);
    storage.get = async (object) => {
      if (object === model.object) await loaded.promise;
      return get(object);
    };
    const [leaver, stayer] = [await jobOf(world, model, another()), await jobOf(world, model, another())];
    await world.post(leaver);
    await expect.poll(() => world.gateway.reports.length, { timeout: 20_000 }).toBe(1);
    await world.post(stayer);
    await expect.poll(() => world.gateway.reports.length, { timeout: 20_000 }).toBe(2);
    world.drop(leaver);
    loaded.resolve();
    expect(await world.ending()).toMatchObject({ status: 'succeeded' });
    expect(await world.metric('whylight_jobs_total', 'status="abandoned"')).toBe(1);
    expect(await loads()).toBe(1);
  });

  test('F14: is stopped within two runs when nobody wants its answer, and takes the next question', async () => {
    world = await createWorld();
    const model = bring(world, wide());
    const job = await jobOf(world, model, { ...another(), question: long });
    await world.post(job);
    await expect.poll(() => world.gateway.reports.at(-1)?.status, { timeout: 20_000 }).toBe('progress');
    world.drop(job);
    await expect
      .poll(() => world.metric('whylight_jobs_total', 'status="abandoned"'), { timeout: 20_000 })
      .toBe(1);
    expect(world.gateway.reports.map(({ status }) => status)).not.toContain('succeeded');
    expect(await ended(await jobOf(world, model, another()))).toMatchObject({ status: 'succeeded' });
    expect(await loads()).toBe(1);
  });
});
