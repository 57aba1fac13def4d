import { deserialize, serialize } from 'node:v8';
import type { Checkpoint, Job, ModelSource } from '@whylight/contract';
import { colourNetwork } from '@whylight/host/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { JobFailure } from '../job-failure.ts';
import { bring, jobOf } from '../testing/tenant-model.ts';
import { createWorld, disc, MemoryStorage, sha256, type World } from '../testing/world.ts';

const worlds: World[] = [];
afterEach(() => Promise.all(worlds.splice(0).map((world) => world.close())), 30_000);

const storage = new MemoryStorage();
async function newWorker(): Promise<World> {
  // So little memory that a chunk has few samples.
  const world = await createWorld({ DRAIN_SECONDS: 0, MEMORY: 1 }, storage);
  worlds.push(world);
  return world;
}

type Prepare = (world: World, change: Parameters<World['prepared']>[1]) => Promise<Job>;
const ofShapes: Prepare = async (world, change) => world.prepared(await disc(), change);
let mine: ModelSource | undefined;
const ofATenant: Prepare = (world, change) => {
  mine ??= bring(world, colourNetwork({ side: 256 }));
  return jobOf(world, mine, change);
};

const jobs = [
  ['integrated-gradients', { n_steps: 300 }, ofShapes],
  ['smooth-grad', { nt_samples: 150 }, ofShapes],
  ['integrated-gradients', { n_steps: 1_000 }, ofATenant],
] as const;

/** Runs a job on one worker until `isEnough`, and stops this worker. @returns its checkpoint */
async function runUntil(
  job: (world: World) => Promise<Job>,
  isEnough: (completed: number) => boolean,
): Promise<{ checkpoint: Checkpoint; world: World }> {
  const world = await newWorker();
  const stopped = Promise.withResolvers<void>();
  world.gateway.answer = (report) => {
    if (report.status === 'progress' && isEnough(report.completed)) stopped.resolve();
    if (report.status === 'succeeded') stopped.reject(new Error('the job was done before it was stopped'));
    return 204;
  };
  await world.post(await job(world));
  await stopped.promise;
  await world.worker.stop();
  const { reports } = world.gateway;
  const last = reports.at(-1)!;
  if (last.status !== 'handed_back' || !last.checkpoint) return expect.unreachable(JSON.stringify(last));
  return { checkpoint: last.checkpoint, world };
}

const progressOf = ({ gateway }: World): number[] =>
  gateway.reports.flatMap((report) => (report.status === 'progress' ? [report.completed] : []));

const sourceOf = ({ object, sha256, bytes }: Checkpoint) => ({ object, sha256, bytes });

/** The numbers that a worker writes for the job. */
async function computed(world: World, job: Job): Promise<string> {
  await world.post(job);
  expect(await world.ending()).toMatchObject({ status: 'succeeded' });
  const { data } = world.attribution(job);
  return sha256(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}

const request = (key: string, attempt: number, question: object, checkpoint?: Checkpoint) => ({
  ...{ key, attempt, output_prefix: `t/acme/x/${key}/${attempt}/`, question },
  ...(checkpoint ? { checkpoint: sourceOf(checkpoint) } : {}),
});

test.each(jobs)(
  'L5: %s %o goes on in another worker where it was, to the same bits',
  async (method, parameters, prepare) => {
    const key = sha256(Buffer.from(JSON.stringify([method, parameters])));
    const asked = (attempt: number, checkpoint?: Checkpoint) =>
      request(key, attempt, { method, parameters }, checkpoint);
    const whole = await newWorker();
    const expected = await computed(whole, await prepare(whole, asked(9)));

    const first = await runUntil(
      (world) => prepare(world, asked(1)),
      (completed) => completed > 0,
    );
    const before = first.checkpoint.completed;
    const second = await runUntil(
      (world) => prepare(world, asked(2, first.checkpoint)),
      (completed) => completed > before,
    );
    expect(second.checkpoint.completed).toBeGreaterThan(before);
    expect(Math.min(...progressOf(second.world))).toBeGreaterThanOrEqual(before);
    const { nonce } = second.world.gateway.claims.at(-1)!;
    expect(second.checkpoint.object).toBe(`${asked(2).output_prefix}${nonce}/checkpoint`);

    const last = await newWorker();
    expect(await computed(last, await prepare(last, asked(3, second.checkpoint)))).toBe(expected);
    expect(Math.min(...progressOf(last))).toBeGreaterThanOrEqual(second.checkpoint.completed);
  },
  400_000,
);

describe('a checkpoint that cannot be used', () => {
  const question = { method: 'integrated-gradients', parameters: { n_steps: 80 } };
  const key = 'd'.repeat(64);
  let attempt = 1;

  test('is ignored: the job begins at the beginning, with the same result, and the log says why', async () => {
    const { checkpoint, world: stopped } = await runUntil(
      (world) => ofShapes(world, request(key, attempt, question)),
      (completed) => completed > 0,
    );
    expect(stopped.lines.join()).toContain('job_handed_back');
    const { bytes } = storage.objects.get(checkpoint.object)!;
    const { origin, state } = deserialize(bytes);
    /** Another object in its place. */
    const other = (content: Uint8Array, sum = sha256(content)): Checkpoint => {
      const object = `${checkpoint.object}-${++attempt}`;
      storage.objects.set(object, { bytes: content, about: null });
      return { ...checkpoint, object, sha256: sum, bytes: content.byteLength };
    };
    const damaged = Buffer.from(bytes);
    damaged[damaged.length - 9]! ^= 1;
    const bad: [Checkpoint, string][] = [
      [{ ...checkpoint, object: 'gone' }, 'it is gone'],
      [other(damaged, checkpoint.sha256), 'it is damaged'],
      [other(bytes.subarray(1), checkpoint.sha256), 'it is damaged'],
      [other(Buffer.from('what is this?')), 'it has another form'],
      [other(serialize({ origin, state: { ...state, completed: -1 } })), 'it has another form'],
      [other(serialize({ origin: { ...origin, release: '0.0.1' }, state })), 'its release: expected'],
      [other(serialize({ origin: { ...origin, key: 'e'.repeat(64) }, state })), 'its key: expected'],
      [
        other(serialize({ origin: { ...origin, device: 'cuda' }, state })),
        'its device: expected cpu, got cuda',
      ],
      [other(serialize({ origin, state: { ...state, chunks: [77] } })), 'checkpoint_read'],
    ];
    const world = await newWorker();
    /** The result of the job, and how many runs of a graph it took. */
    const outcome = async (count: number, from?: Checkpoint) => {
      const before = await world.metric('whylight_graph_runs_total');
      world.gateway.reports.length = 0;
      const result = await computed(world, await ofShapes(world, request(key, count, question, from)));
      return [result, (await world.metric('whylight_graph_runs_total')) - before] as const;
    };
    const [whole, runs] = await outcome(50);
    for (const [i, [each, reason]] of bad.entries()) {
      world.lines.length = 0;
      expect([reason, ...(await outcome(51 + i, each))]).toEqual([reason, whole, runs]);
      expect(world.lines.join()).toContain(reason);
    }
    const [resumed, fewer] = await outcome(70, checkpoint);
    expect(resumed).toBe(whole);
    expect(fewer).toBeLessThan(runs);
  }, 180_000);

  test('because the store does not answer is waited for: another attempt may find it', async () => {
    const world = await newWorker();
    const get = storage.get.bind(storage);
    storage.get = (object) =>
      object === 'away'
        ? Promise.reject(new JobFailure('storage_unavailable', 'the object store could not be read', true))
        : get(object);
    const source = { object: 'away', sha256: '0'.repeat(64), bytes: 10, completed: 1, total: 200 };
    await world.post(await ofShapes(world, request(key, 80, question, source)));
    expect(await world.ending()).toMatchObject({ status: 'failed', error: { code: 'storage_unavailable' } });
    storage.get = get;
  });
});

describe('a worker that stops', () => {
  const question = { method: 'integrated-gradients', parameters: { n_steps: 200 } };

  test('hands its job back without a checkpoint where the store takes none', async () => {
    const world = await newWorker();
    const put = storage.put.bind(storage);
    storage.put = () =>
      Promise.reject(new JobFailure('storage_unavailable', 'the object store could not be written', true));
    await world.post(await ofShapes(world, request('1'.repeat(64), 1, question)));
    await expect.poll(() => progressOf(world).length, { timeout: 20_000, interval: 5 }).toBeGreaterThan(0);
    await world.worker.stop();
    storage.put = put;
    expect(world.gateway.reports.at(-1)).toMatchObject({ status: 'handed_back', checkpoint: null });
    expect(world.lines.join()).toContain('checkpoint_not_written');
  });

  test('does not say that it has begun the jobs that only waited', async () => {
    const world = await createWorld({ DRAIN_SECONDS: 0, MEMORY: 1, CONCURRENCY: 1 }, storage);
    worlds.push(world);
    for (const digit of ['2', '3', '4'])
      await world.post(await ofShapes(world, request(digit.repeat(64), 1, question)));
    await expect.poll(() => progressOf(world).length, { timeout: 20_000, interval: 5 }).toBeGreaterThan(0);
    await expect.poll(() => world.gateway.claims.length, { interval: 5 }).toBe(3);
    await world.worker.stop();
    expect(world.endings().map(({ status }) => status)).toEqual(Array(3).fill('handed_back'));
    expect(world.gateway.reports.filter(({ status }) => status === 'processing')).toHaveLength(1);
  });
});
