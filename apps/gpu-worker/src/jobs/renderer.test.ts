import { ownStyle, type RenderingJob, renderedSchema, visualizationSchema } from '@whylight/contract';
import type { RenderPool } from '@whylight/host';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createWorld, disc, sha256, type World } from '../testing/world.ts';
import { Renderer } from './renderer.ts';

describe('rendering again', () => {
  let world: World;
  let rendering: RenderingJob;
  const ask = (change: Partial<RenderingJob> = {}) =>
    world.call('POST', '/v2/renderings', JSON.stringify({ ...rendering, ...change }));
  const viridis = {
    ...ownStyle(),
    visualization: visualizationSchema.parse({ color_map: 'viridis', type: 'outlines' }),
  };

  beforeEach(async () => {
    world = await createWorld();
    const job = await world.prepared(await disc());
    await world.post(job);
    const report = await world.ending();
    if (report.status !== 'succeeded') return expect.unreachable(JSON.stringify(report));
    rendering = {
      image: job.question.image,
      input: job.input,
      attribution: report.artifacts.find(({ name }) => name === 'attribution.npy')!,
      result: report.result,
      style: ownStyle(),
      output_prefix: `${job.output_prefix}again/`,
      request_id: 'req_test',
    };
  });
  afterEach(() => world.close());

  const picture = (prefix: string) => world.storage.objects.get(`${prefix}overlay.png`)!.bytes;

  test('H9: gives the same pictures in the same style and others in another, and runs no graph', async () => {
    const runs = await world.metric('whylight_graph_runs_total');
    const same = await ask();
    expect(same.status).toBe(200);
    const { artifacts } = renderedSchema.parse(await same.json());
    for (const { object, bytes, sha256: digest } of artifacts) {
      const stored = world.storage.objects.get(object)!.bytes;
      expect([stored.byteLength, sha256(stored)]).toEqual([bytes, digest]);
    }
    expect(artifacts.map(({ name }) => name)).toEqual(['overlay.png', 'heatmap.png']);
    const first = picture(rendering.attribution.object.replace('attribution.npy', ''));
    expect(Buffer.from(picture(rendering.output_prefix)).equals(first)).toBe(true);
    expect((await ask({ style: viridis })).status).toBe(200);
    expect(Buffer.from(picture(rendering.output_prefix)).equals(first)).toBe(false);
    expect(await world.metric('whylight_graph_runs_total')).toBe(runs);
    expect(await world.metric('whylight_renderings_total')).toBe(2);
  });

  test.each([
    ['an attribution with a flipped byte', 'attribution', 'artifact_corrupt'],
    ['an attribution that is gone', null, 'artifact_corrupt'],
    ['another photo in the photo’s place', 'input', 'upload_mismatch'],
  ] as const)('H6: %s is noticed', async (_, which, code) => {
    const { objects } = world.storage;
    if (which === null) objects.delete(rendering.attribution.object);
    else {
      const stored = objects.get(rendering[which].object)!;
      const bytes = Uint8Array.from(stored.bytes);
      bytes[bytes.length - 1]! ^= 1;
      objects.set(rendering[which].object, { ...stored, bytes });
    }
    const answer = await ask();
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([422, code]);
    expect([...objects.keys()].filter((name) => name.startsWith(rendering.output_prefix))).toEqual([]);
  });

  /** Renders at once, or when `ready`; writes down each scene. */
  const double = (scenes: unknown[] = [], ready: Promise<void> = Promise.resolve()): RenderPool => ({
    async render(scene) {
      scenes.push(scene);
      await ready;
      return { overlay: Uint8Array.of(1), heatmap: Uint8Array.of(2), warnings: [] };
    },
    close: async () => {},
  });

  test('is done by the pool: the thread that answers health checks and cancels renders nothing', async () => {
    const scenes: unknown[] = [];
    await new Renderer(world.storage, double(scenes)).render(rendering);
    expect(scenes).toHaveLength(1);
    expect([...picture(rendering.output_prefix)]).toEqual([1]);
  });

  test('F8, L8: one tenant’s many leave places to wait, and the next turn, to another', async () => {
    const done: string[] = [];
    const ready = Promise.withResolvers<void>();
    const renderer = new Renderer(world.storage, double([], ready.promise));
    const of = (tenant: string) => ({ ...rendering, output_prefix: `t/${tenant}/x/` });
    const render = async (tenant: string) => {
      await renderer.render(of(tenant));
      done.push(tenant);
    };
    const all = Array.from({ length: 18 }, () => render('greedy'));
    expect([renderer.hasRoomFor(of('greedy')), renderer.hasRoomFor(of('modest'))]).toEqual([false, true]);
    all.push(render('modest'));
    ready.resolve();
    await Promise.all(all);
    expect(done.indexOf('modest')).toBeLessThan(4);
  });

  test('what comes to its turn when nobody waits for it any more is not begun', async () => {
    const scenes: unknown[] = [];
    const ready = Promise.withResolvers<void>();
    const renderer = new Renderer(world.storage, double(scenes, ready.promise), 50);
    const outcomes = Promise.allSettled([1, 2, 3, 4].map(() => renderer.render(rendering)));
    setTimeout(ready.resolve, 100);
    expect((await outcomes).map(({ status }) => status)).toEqual([
      ...['fulfilled', 'fulfilled'],
      ...['rejected', 'rejected'],
    ]);
    const late = (await outcomes).at(-1) as PromiseRejectedResult;
    expect(late.reason.error).toMatchObject({ code: 'deadline_exceeded', retryable: true });
    expect(scenes).toHaveLength(2);
  });

  test('J11: is for the gateway only, and for what is a rendering', async () => {
    expect((await world.call('POST', '/v2/renderings', JSON.stringify(rendering), {})).status).toBe(401);
    expect((await world.call('POST', '/v2/renderings', '{}')).status).toBe(400);
  });
});
