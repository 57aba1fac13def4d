import { afterEach, describe, expect, test } from 'vitest';
import { createWorld, disc, long, type World } from '../testing/world.ts';

let world: World;
afterEach(() => world.close());

describe('jobs of many tenants', () => {
  test('F11: photos of several tenants in one batch get what each gets alone', async () => {
    world = await createWorld({ BATCH: 8, BATCH_DELAY_MS: 200 });
    const photos = await Promise.all([...Array(6).keys()].map((i) => disc(140 + 8 * i, 120 + 4 * i)));
    const jobs = await Promise.all(
      photos.map((photo, i) =>
        world.prepared(photo, {
          key: String(i).repeat(64),
          output_prefix: `t/tenant${i % 3}/x/${i}/1/`,
          question: { target: { class_index: i } },
        }),
      ),
    );
    await Promise.all(jobs.map((job) => world.post(job)));
    await expect.poll(() => world.endings().length, { timeout: 20_000 }).toBe(6);
    expect(await world.metric('whylight_batch_size_count')).toBeLessThan(6);
    expect(await world.metric('whylight_batch_size_sum')).toBe(6);

    const together = jobs.map((job) => world.attribution(job));
    await world.close();
    world = await createWorld({ BATCH: 1 });
    for (const [i, job] of jobs.entries()) {
      const { url, claimUrl } = world.gateway;
      const urls = { claim_url: claimUrl(job.key), report_url: url };
      const alone = { ...job, ...urls, attempt: 2, output_prefix: `t/x/x/${i}/2/` };
      await world.prepared(photos[i]!);
      await world.post(alone);
      await expect.poll(() => world.endings().length, { timeout: 20_000 }).toBe(i + 1);
      const [expected, got] = [world.attribution(alone), together[i]!];
      expect(got.shape).toEqual(expected.shape);
      const largest = Math.max(...got.data.map((v, k) => Math.abs(v - expected.data[k]!)));
      expect(largest).toBeLessThanOrEqual(1e-5);
      expect(Math.max(...got.data)).toBeGreaterThan(0);
    }
  });

  test('F10: of a batch only the one fails that cannot be computed', async () => {
    world = await createWorld({ BATCH: 4, BATCH_DELAY_MS: 200 });
    const photo = await disc();
    const targets = [{ class_index: 3 }, { class_index: 99 }, { class_index: 5 }];
    for (const [i, target] of targets.entries())
      await world.post(await world.prepared(photo, { key: String(i).repeat(64), question: { target } }));
    await expect.poll(() => world.endings().length, { timeout: 20_000 }).toBe(3);
    expect(
      world
        .endings()
        .map(({ status }) => status)
        .sort(),
    ).toEqual(['failed', 'succeeded', 'succeeded']);
  });

  test('F8: a tenant’s many long jobs leave another tenant’s short one its share', async () => {
    world = await createWorld({ DRAIN_SECONDS: 0 });
    const photo = await disc();
    for (let i = 0; i < 40; i++)
      await world.post(
        await world.prepared(photo, {
          key: i.toString(16).padStart(64, '0'),
          output_prefix: `t/greedy/x/${i}/1/`,
          question: { ...long, target: { class_index: i % 10 } },
        }),
      );
    const quick = await world.prepared(photo, { key: 'f'.repeat(64), output_prefix: 't/modest/x/q/1/' });
    const done = () => world.endings().filter(({ status }) => status === 'succeeded').length;
    const before = done();
    await world.post(quick);
    await expect
      .poll(() => world.storage.objects.has(`${world.prefixOf(quick)}result.json`), { timeout: 30_000 })
      .toBe(true);
    // Those that ran already may end first; of those that waited only a few.
    expect(done() - before).toBeLessThan(20);
    world.gateway.answer = () => 409;
  });
});
