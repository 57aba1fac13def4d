import { sign, workerPaths } from '@whylight/contract';
import { numericsVersion } from '@whylight/core/methods';
import { afterEach, describe, expect, test } from 'vitest';
import { createWorld, disc, listenAsGateway, secret, type World } from '../testing/world.ts';
import { version } from '../version.ts';

let world: World;
afterEach(() => world.close());

const reported = (count: number) =>
  expect.poll(() => world.gateway.presences.length).toBeGreaterThanOrEqual(count);
const readiness = async () => {
  const response = await fetch(`${world.worker.url}/readyz`);
  return [response.status, await response.text()];
};
/** The worker learns its gateway from this call. */
const introduce = () =>
  world.call('GET', `${workerPaths.models}?gateway=${encodeURIComponent(world.gateway.url)}`);

describe('the presence of a worker', () => {
  test('is reported once it knows the gateway, at first without waiting, then held by the gateway', async () => {
    world = await createWorld({ WORKER_ID: 'w1' });
    expect(world.gateway.presences).toEqual([]);
    await introduce();
    await reported(2);
    const [first, second] = world.gateway.presences;
    expect(first).toMatchObject({
      ...{ worker: 'w1', release: version, contract: workerPaths.jobs, numerics_version: numericsVersion },
      ...{ state: 'ready', wait: 0, done: [] },
    });
    expect(first!.catalog!.body!.models.map(({ name }) => name)).toEqual(['shapes']);
    // The gateway knows the catalogue now.
    expect(second).toMatchObject({ catalog: { digest: first!.catalog!.digest }, wait: 20 });
    expect(second!.catalog!.body).toBeUndefined();
  });

  test('is reported from the start if GATEWAY_URL names the gateway, and its end at once', async () => {
    const gateway = await listenAsGateway();
    world = await createWorld({ GATEWAY_URL: gateway.url });
    await expect.poll(() => gateway.presences.at(-1)?.state).toBe('ready');
    expect(gateway.presences[0]).toMatchObject({ state: 'starting', catalog: null });
    await world.worker.stop();
    expect(gateway.presences.slice(-2).map(({ state }) => state)).toContain('stopped');
    expect(gateway.presences.at(-1)).toMatchObject({ state: 'stopped' });
    await gateway.close();
    world = await createWorld();
  });

  test('starts with a job too, whose claim names the gateway', async () => {
    world = await createWorld();
    await world.post(await world.prepared(await disc()));
    await reported(1);
  });

  test('is not learnt from a call that nobody has signed, and is from one whose time is wrong', async () => {
    world = await createWorld();
    const path = `${workerPaths.models}?gateway=${encodeURIComponent(world.gateway.url)}`;
    const call = { direction: 'gateway-to-worker', method: 'GET', path, body: '' } as const;
    const now = Date.now() / 1000;
    expect((await world.call('GET', path, '', await sign('another secret', call, now))).status).toBe(401);
    const late = await world.call('GET', path, '', await sign(secret, call, now - 1_200));
    expect([late.status, await late.json()]).toMatchObject([
      401,
      {
        code: 'wrong_clock',
        detail: expect.stringMatching(/^the clock is 1,20\d s ahead of the gateway's: set the time by NTP$/),
      },
    ]);
    await reported(1);
    expect(world.gateway.presences[0]!.wait).toBe(0);
  });

  test('L6: a worker that the gateway cannot use says so, takes no work, and is ready again afterwards', async () => {
    world = await createWorld();
    const fault = "the clock is 1,200 s ahead of the gateway's: set the time by NTP";
    const answer = (said: string | null) => async () => ({
      status: 200,
      body: { now: Date.now(), fault: said, catalog_known: true, orders: [] },
    });
    world.gateway.answerPresence = answer(fault);
    await introduce();
    await expect.poll(readiness).toEqual([503, `not ready: ${fault}`]);
    expect(await world.health()).toMatchObject({ status: 'not_ready', fault });
    expect(await world.metric('whylight_ready')).toBe(0);
    for (const path of [
      workerPaths.jobs,
      workerPaths.renderings,
      workerPaths.validations,
      workerPaths.warm,
    ]) {
      const refused = await world.call('POST', path, JSON.stringify(await world.prepared(await disc())));
      expect([path, refused.status, await refused.json()]).toEqual([
        path,
        421,
        { code: 'worker_not_ready', detail: fault, worker: expect.any(String) },
      ]);
    }
    world.gateway.answerPresence = answer(null);
    await expect.poll(readiness, { timeout: 10_000 }).toEqual([200, 'ok']);
  });

  test.each([
    ['invalid_signature', /does not accept the signature: set the same WORKER_SECRET on both sides/],
    ['wrong_clock', /what the gateway says of the clock/],
  ])('L6: a report that the gateway refuses by %s makes the worker not ready', async (code, text) => {
    world = await createWorld();
    world.gateway.answerPresence = async () => ({
      status: 401,
      body: { code, detail: 'what the gateway says of the clock' },
    });
    await introduce();
    await expect.poll(readiness).toEqual([503, expect.stringMatching(text)]);
  });

  test('a gateway that fails or knows no presence reports keeps no worker from its work', async () => {
    world = await createWorld();
    for (const status of [500, 404]) {
      world.gateway.answerPresence = async () => ({ status, body: {} });
      await introduce();
      await reported(1);
      expect(await readiness()).toEqual([200, 'ok']);
    }
  });

  test('L7: an order is executed once and acknowledged; one of a later release is acknowledged', async () => {
    world = await createWorld();
    await introduce();
    await reported(2);
    const key = 'a'.repeat(64);
    world.gateway.order({ order: 'drop', id: 'o1', key, attempt: 1 });
    world.gateway.order({ order: 'dance', id: 'o2' } as never);
    await expect
      .poll(() => world.gateway.presences.flatMap(({ done }) => done), { timeout: 10_000 })
      .toEqual(['o1', 'o2']);
    const dropped = world.lines.filter((line) => line.includes('job_dropped'));
    expect(dropped).toHaveLength(1);
    const job = await world.prepared(await disc(), { key });
    expect(await (await world.post(job)).json()).toEqual({ status: 'known' });
  });
});

describe('L6: two secrets while one replaces the other', () => {
  test('a worker accepts calls with either, and signs with the first', async () => {
    const [older, newer] = ['the older secret of both', secret];
    world = await createWorld({ WORKER_SECRET: newer, WORKER_SECRET_PREVIOUS: older });
    const call = { direction: 'gateway-to-worker', method: 'GET', path: '/v1/models', body: '' } as const;
    const now = Date.now() / 1000;
    for (const [each, status] of [
      [older, 200],
      [newer, 200],
      ['a third secret', 401],
    ] as const)
      expect((await world.call('GET', '/v1/models', '', await sign(each, call, now))).status).toBe(status);
    // The gateway of these tests accepts `secret` alone.
    await introduce();
    await reported(1);
    expect(world.lines.join('\n')).not.toMatch(new RegExp(`${older}|${newer}`));
  });
});
