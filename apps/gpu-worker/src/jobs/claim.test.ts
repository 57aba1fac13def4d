import { newNonce } from '@whylight/contract';
import { afterEach, describe, expect, test } from 'vitest';
import { createMetrics } from '../telemetry/metrics.ts';
import { jobFor } from '../testing/job.ts';
import { createWorld, disc, listenAsGateway, MemoryStorage, secret, type World } from '../testing/world.ts';
import { claim } from './claim.ts';

const never = new AbortController().signal;

/** A gateway, and a job that is claimed there with hardly a pause between two tries. */
async function claiming(signal = never) {
  const gateway = await listenAsGateway();
  const metrics = createMetrics();
  const lines: Record<string, unknown>[] = [];
  const job = { ...jobFor({ claim_url: gateway.claimUrl('a'.repeat(64)) }), nonce: newNonce() };
  const settings = {
    ...{ secret, worker: 'w1', metrics, patience: 1 },
    log: (event: string, fields: Record<string, unknown> = {}) => lines.push({ event, ...fields }),
  };
  return { gateway, job, lines, claimed: () => claim(job, signal, settings) };
}

describe('a claim', () => {
  test('is signed and says the attempt, its lease, the worker and the nonce', async () => {
    const { gateway, job, claimed, lines } = await claiming();
    expect(await claimed()).toBe(true);
    const { key, attempt, lease, nonce } = job;
    expect(gateway.claims).toEqual([{ key, attempt, lease, nonce, worker: 'w1' }]);
    expect(lines).toMatchObject([{ event: 'job_claimed', key, attempt }]);
    await gateway.close();
  });

  test('whose answer is lost is made again, with the same nonce', async () => {
    const { gateway, claimed, job } = await claiming();
    gateway.answerClaim = async (_, count) => [503, 500, 429][count - 1] ?? 204;
    expect(await claimed()).toBe(true);
    expect(gateway.claims.map(({ nonce }) => nonce)).toEqual(Array(4).fill(job.nonce));
    await gateway.close();
  });

  test.each(['attempt_claimed', 'attempt_over'])(
    'that is refused with %s is not made again',
    async (code) => {
      const { gateway, claimed, lines } = await claiming();
      gateway.answerClaim = async () => [409, code];
      expect(await claimed()).toBe(false);
      expect(gateway.claims).toHaveLength(1);
      expect(lines).toMatchObject([{ event: 'claim_refused', code }]);
      await gateway.close();
    },
  );

  test.each([400, 401, 404, 413])('that is answered with %i is given up at once', async (status) => {
    const { gateway, claimed, lines } = await claiming();
    gateway.answerClaim = async () => status;
    expect(await claimed()).toBe(false);
    expect([gateway.claims.length, lines]).toMatchObject([
      1,
      [{ event: 'claim_given_up', http_status: status }],
    ]);
    await gateway.close();
  });

  test('that nobody answers is given up after eight tries', async () => {
    const { gateway, claimed, lines } = await claiming();
    await gateway.close();
    expect(await claimed()).toBe(false);
    expect(lines).toMatchObject([{ event: 'claim_given_up', http_status: 0, calls: 8 }]);
  });

  test('of a job that is stopped is not made again; one that was answered counts', async () => {
    const stop = new AbortController();
    const { gateway, claimed } = await claiming(stop.signal);
    gateway.answerClaim = async () => {
      stop.abort();
      return 503;
    };
    expect(await claimed()).toBe(false);
    expect(gateway.claims).toHaveLength(1);
    gateway.answerClaim = async () => 204;
    expect(await claimed()).toBe(true);
    await gateway.close();
  });
});

/** Storage that tells what was asked of it. */
class WatchedStorage extends MemoryStorage {
  readonly asked: string[] = [];

  override async get(object: string): Promise<Uint8Array> {
    this.asked.push(`get ${object}`);
    return super.get(object);
  }

  override async put(...[object, bytes, about]: Parameters<MemoryStorage['put']>): Promise<void> {
    this.asked.push(`put ${object}`);
    return super.put(object, bytes, about);
  }
}

describe('a worker', () => {
  let world: World;
  afterEach(() => world.close());

  test('reads, computes and reports nothing before the attempt is its own', async () => {
    const storage = new WatchedStorage();
    world = await createWorld({}, storage);
    const answer = Promise.withResolvers<number>();
    world.gateway.answerClaim = () => answer.promise;
    await world.post(await world.prepared(await disc()));
    await expect.poll(() => world.gateway.claims).toHaveLength(1);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect([storage.asked, world.gateway.reports]).toEqual([[], []]);
    expect(await world.metric('whylight_graph_runs_total')).toBe(0);
    answer.resolve(204);
    expect((await world.ending()).status).toBe('succeeded');
    expect(await world.metric('whylight_claims_total', 'outcome="claimed"')).toBe(1);
  });

  test('L3: forgets a job that another one has, at no cost and without a word', async () => {
    const storage = new WatchedStorage();
    world = await createWorld({}, storage);
    world.gateway.answerClaim = async () => [409, 'attempt_claimed'];
    const job = await world.prepared(await disc());
    await world.post(job);
    await expect.poll(() => world.metric('whylight_claims_total', 'outcome="refused"')).toBe(1);
    const again = await world.post(job);
    expect([again.status, await again.json()]).toEqual([202, { status: 'known' }]);
    expect((await world.health()).jobs).toEqual({ running: 0, waiting: 0 });
    expect([storage.asked, world.gateway.reports, world.gateway.claims.length]).toEqual([[], [], 1]);
    expect(await world.metric('whylight_graph_runs_total')).toBe(0);
  });

  test('B20: whose claim is not answered for a while goes on once it is, and fails nothing meanwhile', async () => {
    world = await createWorld();
    world.gateway.answerClaim = async (_, count) => (count <= 3 ? 503 : 204);
    await world.post(await world.prepared(await disc()));
    expect((await world.ending()).status).toBe('succeeded');
    expect(world.gateway.reports.map(({ status }) => status)).not.toContain('failed');
    expect(new Set(world.gateway.claims.map(({ nonce }) => nonce)).size).toBe(1);
  });

  test.each([
    ['/v1/jobs', 'attempts cannot be claimed'],
    ['/v2/jobs', 'questions name no numerics version'],
    ['/v3/jobs', 'questions name no score'],
    ['/v4/jobs', 'reports know no hand-back'],
  ])('keeps a job away that a gateway posts to %s, whose %s, until that has been replaced', async (path) => {
    world = await createWorld();
    const { claim_url: _, ...job } = await world.prepared(await disc());
    const answer = await world.call('POST', path, JSON.stringify(job));
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
    expect((await world.call('POST', path, '{}', {})).status).toBe(401);
    expect(await world.metric('whylight_jobs_accepted_total')).toBe(0);
  });
});
