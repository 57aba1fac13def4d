import { afterEach, describe, expect, test } from 'vitest';
import { createWorld, disc, long, secret, type World } from './testing/world.ts';

let world: World;
afterEach(() => world.close());

describe('the worker', () => {
  test('lists its models as the contract has them', async () => {
    world = await createWorld();
    const { device, models } = await world.catalog();
    expect([device, models.length, models[0]!.default]).toEqual(['cpu', 1, true]);
    expect(models[0]).toMatchObject({ name: 'shapes', classes: 10, input_shape: [3, 128, 128] });
    expect(models[0]!.layers!.length).toBeGreaterThan(1);
    expect(models[0]!.labels![0]).toEqual({ en: 'circle', zh: '圆形' });
    expect(models[0]!.methods).toMatchObject({ 'grad-cam': null, saliency: null, occlusion: null });
    expect(models[0]!.not_run).toMatchObject({ saliency: 'not run on this worker yet' });
  });

  test('has the networks that come along where none is named, the one for photos first', async () => {
    world = await createWorld({ MODELS: [] });
    const { models } = await world.catalog();
    expect(models.map(({ name, classes, default: first }) => [name, classes, first])).toEqual([
      ['efficientnet-lite0', 1000, true],
      ['shapes', 10, false],
    ]);
    expect(models[0]!.labels![967]).toEqual({ en: 'espresso', zh: '浓缩咖啡' });
    expect(models[0]!.methods).toMatchObject({ 'grad-cam': null, 'integrated-gradients': null });
  });

  test('M6: runs the methods on its own models while it has no job, and lists what it found', async () => {
    world = await createWorld({ CHECK_SECONDS: 600 });
    const found = async () => (await world.catalog()).models[0]!;
    const { methods } = await found();
    await expect.poll(async () => (await found()).not_run, { timeout: 60_000, interval: 500 }).toEqual({});
    expect((await found()).methods).toEqual(methods);
    expect(await world.metric('whylight_graph_runs_total')).toBe(0);
  }, 90_000);

  test('sends jobs away when its queue is full, and says when to come back', async () => {
    world = await createWorld({ CONCURRENCY: 1, QUEUE_LIMIT: 1 });
    const photo = await disc();
    const offer = async (digit: string) =>
      world.post(await world.prepared(photo, { key: digit.repeat(64), question: long }));
    expect([(await offer('1')).status, (await offer('2')).status]).toEqual([202, 202]);
    expect((await world.health()).status).toBe('busy');
    const away = await offer('3');
    expect([away.status, away.headers.get('retry-after')]).toEqual([503, '2']);
    expect(await world.metric('whylight_jobs_accepted_total')).toBe(2);
    world.gateway.answer = () => 409;
  });

  test('that is told to stop finishes what it has and takes nothing more', async () => {
    world = await createWorld();
    const job = await world.prepared(await disc(), { question: long });
    await world.post(job);
    const stopping = world.worker.stop();
    await expect.poll(async () => (await world.health()).draining).toBe(true);
    const refused = await world.post({ ...job, key: 'b'.repeat(64) });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
    expect((await fetch(`${world.worker.url}/readyz`)).status).toBe(503);
    await stopping;
    expect(world.gateway.reports.at(-1)!.status).toBe('succeeded');
    await expect(world.health()).rejects.toThrow();
    world = await createWorld();
  });

  test('that has no time left hands its jobs back', async () => {
    world = await createWorld({ DRAIN_SECONDS: 0 });
    await world.post(await world.prepared(await disc(), { question: long }));
    await world.worker.stop();
    expect(world.gateway.reports.at(-1)).toMatchObject({ status: 'handed_back', checkpoint: null });
    world = await createWorld();
  });

  test('follows the trace that a job comes with: each phase is a span of it, and a histogram', async () => {
    world = await createWorld();
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    await world.post({ ...(await world.prepared(await disc())), traceparent });
    await world.ending();
    await expect.poll(() => world.lines.filter((line) => line.includes('worker.job'))).toHaveLength(1);
    const spans = world.lines.map((line) => JSON.parse(line)).filter(({ event }) => event === 'span');
    const phases = ['queue', 'download', 'decode', 'compute', 'render', 'upload'];
    expect(spans.map(({ name }) => name)).toEqual([...phases, 'job'].map((name) => `worker.${name}`));
    const whole = spans.at(-1)!;
    expect(whole).toMatchObject({ parent_span_id: '00f067aa0ba902b7', status: 'succeeded' });
    for (const span of spans) expect(span.trace_id).toBe('4bf92f3577b34da6a3ce929d0e0e4736');
    for (const span of spans.slice(0, -1)) expect(span.parent_span_id).toBe(whole.span_id);
    for (const phase of phases) expect(await world.metric(`whylight_${phase}_seconds_count`)).toBe(1);
    expect(await world.metric('whylight_jobs_total', 'method="grad-cam",status="succeeded"')).toBe(1);
  });

  test('writes no secret, signature or query to its log', async () => {
    world = await createWorld();
    await world.call('POST', '/v5/jobs', '{}', {
      'Whylight-Signature': 'f'.repeat(64),
      'Whylight-Timestamp': '1',
    });
    await world.post(await world.prepared(await disc()));
    await world.ending();
    const log = world.lines.join('\n');
    expect(log).toContain('req_test');
    expect(log).not.toMatch(new RegExp(`${secret}|f{64}|shard=2`));
  });
});
