import { artifactNames, type Job, resultSchema, sign } from '@whylight/contract';
import { afterEach, describe, expect, test } from 'vitest';
import { createWorld, disc, long, secret, sha256, type World } from '../testing/world.ts';

let world: World;
afterEach(() => world.close());

const now = () => Date.now() / 1000;

describe('a job', () => {
  test('reads the photo, writes four artifacts and reports, in order', async () => {
    world = await createWorld();
    const job = await world.prepared(await disc());
    expect((await world.post(job)).status).toBe(202);

    const report = await world.ending();
    expect(world.gateway.reports.map(({ status }) => status)).toEqual([
      'processing',
      ...world.gateway.reports.slice(1, -1).map(() => 'progress'),
      'succeeded',
    ]);
    if (report.status !== 'succeeded') return expect.unreachable(JSON.stringify(report));
    const [claim] = world.gateway.claims;
    expect(claim).toMatchObject({ key: job.key, attempt: job.attempt, lease: job.lease });
    for (const each of world.gateway.reports)
      expect(each).toMatchObject({ attempt: job.attempt, lease: job.lease, nonce: claim!.nonce });
    expect(report.result).toMatchObject({
      method: 'grad-cam',
      device: 'cpu',
      image: { width: 160, height: 128 },
    });
    expect(report.result.predictions).toHaveLength(5);
    expect(report.artifacts.map(({ name }) => name)).toEqual([...artifactNames]);
    for (const { object, name, bytes, content_type, ...artifact } of report.artifacts) {
      expect(object).toBe(world.prefixOf(job) + name);
      const stored = world.storage.objects.get(object)!;
      expect([stored.bytes.byteLength, sha256(stored.bytes)]).toEqual([bytes, artifact.sha256]);
      expect(stored.about).toEqual({ contentType: content_type, sha256: artifact.sha256 });
    }
    const written = world.storage.objects.get(`${world.prefixOf(job)}result.json`)!.bytes;
    expect(resultSchema.parse(JSON.parse(Buffer.from(written).toString()))).toEqual(report.result);
    expect(world.gateway.requests[0]!.headers['request-id']).toBe(job.request_id);
  });

  test('that was taken before is accepted again and not run again, also from the same call replayed', async () => {
    world = await createWorld();
    const body = JSON.stringify(await world.prepared(await disc()));
    const headers = await sign(
      secret,
      { direction: 'gateway-to-worker', method: 'POST', path: '/v5/jobs', body },
      now(),
    );
    expect((await world.call('POST', '/v5/jobs', body, headers)).status).toBe(202);
    await world.ending();
    const runs = await world.metric('whylight_graph_runs_total');
    expect(runs).toBeGreaterThan(0);

    const again = await world.call('POST', '/v5/jobs', body, headers);
    expect([again.status, await again.json()]).toEqual([202, { status: 'known' }]);
    expect(await world.metric('whylight_graph_runs_total')).toBe(runs);
    expect(await world.metric('whylight_explanations_total')).toBe(1);
    expect(await world.metric('whylight_jobs_accepted_total')).toBe(1);
    expect(await world.metric('whylight_jobs_total', 'status="succeeded"')).toBe(1);
  });

  test('explains the score that the question names', async () => {
    world = await createWorld();
    const photo = await disc();
    const scoreBy = async (score?: string) => {
      world.gateway.reports.length = 0;
      const key = (score ?? 'a').padEnd(64, '0').replaceAll(/[^0-9a-f]/g, '0');
      await world.post(await world.prepared(photo, { key, question: score ? { score } : {} }));
      const report = await world.ending();
      if (report.status !== 'succeeded') return expect.unreachable(JSON.stringify(report));
      return report.result.target;
    };
    const plain = await scoreBy();
    expect(await scoreBy('logit')).toEqual(plain);
    const { score, probability } = await scoreBy('probability');
    expect(score).toBeCloseTo(plain.probability!, 5);
    expect(probability).toBeCloseTo(plain.probability!, 5);
    expect(Math.abs(plain.score! - score!)).toBeGreaterThan(0.1);
  });

  test('tells its progress, but not more often than twice a second', async () => {
    world = await createWorld();
    const start = performance.now();
    await world.post(await world.prepared(await disc(), { question: long }));
    await world.ending();
    const progress = world.gateway.reports.filter(({ status }) => status === 'progress');
    expect(progress.length).toBeGreaterThan(0);
    expect(progress.length).toBeLessThanOrEqual(1 + (performance.now() - start) / 500);
  });

  test('that the gateway no longer wants is given up without another word', async () => {
    world = await createWorld();
    world.gateway.answer = () => 409;
    await world.post(await world.prepared(await disc(), { question: long }));
    await expect
      .poll(() => world.metric('whylight_jobs_total', 'status="abandoned"'), { timeout: 20_000 })
      .toBe(1);
    expect(world.gateway.reports.map(({ status }) => status)).toEqual(['processing']);
    expect(await world.metric('whylight_explanations_total')).toBe(0);
  });

  test('B20: whose result the gateway refuses counts as abandoned', async () => {
    world = await createWorld();
    world.gateway.answer = ({ status }) => (status === 'succeeded' ? 409 : 204);
    await world.post(await world.prepared(await disc()));
    const ended = () => world.metric('whylight_jobs_total');
    await expect.poll(ended, { timeout: 20_000 }).toBe(1);
    expect(await world.metric('whylight_jobs_total', 'status="abandoned"')).toBe(1);
  });

  test('B12: that the gateway calls back is stopped between two runs, without another word', async () => {
    world = await createWorld();
    const job = await world.prepared(await disc(), { question: long });
    await world.post(job);
    await expect.poll(() => world.gateway.reports.at(-1)?.status, { timeout: 20_000 }).toBe('progress');
    world.drop(job);
    await expect
      .poll(() => world.metric('whylight_jobs_total', 'status="abandoned"'), { timeout: 20_000 })
      .toBe(1);
    expect(world.gateway.reports.map(({ status }) => status)).not.toContain('succeeded');
    expect([...world.storage.objects.keys()].filter((name) => name.startsWith(job.output_prefix))).toEqual(
      [],
    );
  });

  test('is reported until the gateway has heard it', async () => {
    world = await createWorld();
    world.gateway.answer = ({ status }, count) => (status === 'succeeded' && count < 4 ? 503 : 204);
    await world.post(await world.prepared(await disc()));
    await expect
      .poll(() => world.metric('whylight_jobs_total', 'status="succeeded"'), { timeout: 10_000 })
      .toBe(1);
    const final = world.gateway.reports.filter(({ status }) => status === 'succeeded');
    expect(final.length).toBeGreaterThan(1);
    expect(new Set(final.map((report) => JSON.stringify(report))).size).toBe(1);
  });
});

test('a weighted sum of classes is explained as such: input × gradient is linear in it', async () => {
  world = await createWorld();
  const photo = await disc();
  const explained = async (target: object, prefix: string) => {
    world.gateway.reports.length = 0;
    const question = { method: 'input-x-gradient', target } as Partial<Job['question']>;
    const job = await world.prepared(photo, {
      key: prefix.repeat(64),
      question,
      output_prefix: `t/x/${prefix}/`,
    });
    await world.post(job);
    const report = await world.ending();
    if (report.status !== 'succeeded') return expect.unreachable(JSON.stringify(report));
    return world.attribution(job).data;
  };
  const [first, second] = [
    await explained({ class_index: 1 }, 'a'),
    await explained({ class_index: 2 }, 'b'),
  ];
  const terms = [
    { class_index: 1, weight: 2 },
    { class_index: 2, weight: -1 },
  ];
  const sum = await explained({ terms }, 'c');
  const scale = Math.max(...sum.map(Math.abs));
  for (const [i, value] of sum.entries())
    expect(Math.abs(value - (2 * first[i]! - second[i]!)) / scale).toBeLessThan(1e-4);
});

test('F13: the same question asked twice gives the same numbers', async () => {
  world = await createWorld();
  const photo = await disc();
  const jobs = await Promise.all(
    [1, 2].map((attempt) =>
      world.prepared(photo, {
        attempt,
        output_prefix: `t/acme/x/key/${attempt}/`,
        question: { method: 'smooth-grad', parameters: { nt_samples: 3 } },
      }),
    ),
  );
  for (const [i, job] of jobs.entries()) {
    await world.post(job);
    await expect.poll(() => world.endings().length, { timeout: 20_000 }).toBe(i + 1);
  }
  // By their digests: a difference of so many numbers would take minutes to print.
  const [once, again] = jobs.map((job) => {
    const { data } = world.attribution(job);
    return sha256(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  });
  expect(again).toBe(once);
});
