import { evictDurableObject, runDurableObjectAlarm } from 'cloudflare:test';
import { type Checkpoint, checkpointUnder, type Explanation, type Job } from '@whylight/contract';
import { expect, test, vi } from 'vitest';
import { services } from '../src/services.ts';
import {
  bindings,
  cacheKeyOf,
  call,
  explain,
  jobsTaken,
  later,
  newTenant,
  prefixOf,
  report,
  success,
  uploaded,
  write,
} from './gateway.ts';

const { objects } = services(bindings);
const total = 1_000;

/** A tenant's explanation with many samples, and what workers do with its attempts. */
async function underway() {
  const { key } = await newTenant();
  const upload = (await uploaded(key)).id;
  const asked = { input: { upload }, method: 'integrated-gradients', parameters: { n_steps: total } };
  const made = (await explain(key, asked)).body;
  const computation = cacheKeyOf(made);
  /** The job of the next attempt, which its worker has begun. */
  const begin = async (attempt: number): Promise<Job> => {
    const job = (await jobsTaken(computation, attempt)).at(-1)!;
    expect(job.attempt).toBe(attempt);
    expect((await report(job, { status: 'processing' })).status).toBe(204);
    return job;
  };
  /** Its worker stops with so many samples done. */
  const stop = async (job: Job, completed: number): Promise<Checkpoint> => {
    const checkpoint = checkpointOf(job, completed);
    await write(checkpoint.object, `${completed} samples`);
    expect((await report(job, { status: 'handed_back', checkpoint })).status).toBe(204);
    return checkpoint;
  };
  return {
    ...{ key, made, begin, stop },
    stub: bindings.COMPUTATION.getByName(computation),
    see: async () => (await call<Explanation>('GET', made.urls.self, { key })).body,
    again: async () => (await explain(key, asked)).body,
    usage: async () => {
      const [today] = (await call('GET', '/v1/usage', { key })).body.data;
      return { explanations: today.explanations, compute_units: today.compute_units };
    },
  };
}

const checkpointOf = (job: Job, completed: number): Checkpoint => ({
  object: checkpointUnder(prefixOf(job)),
  ...{ sha256: 'c'.repeat(64), bytes: 12, completed, total },
});
const sourceOf = ({ object, sha256, bytes }: Checkpoint) => ({ object, sha256, bytes });
const isThere = async ({ object }: Checkpoint) => (await objects.head(object)) !== null;
/** The object may be deleting it in an alarm that has begun by itself. */
const isDeleted = (checkpoint: Checkpoint) =>
  vi.waitFor(async () => expect(await isThere(checkpoint)).toBe(false), { timeout: 10_000 });

test('L5: every attempt gets the checkpoint of the one before; progress never falls, and it is billed once', async () => {
  const { begin, stop, made, see, usage, again, stub } = await underway();
  let last: Checkpoint | undefined;
  const rounds = 5;
  for (let attempt = 1; attempt <= rounds; attempt++) {
    const job = await begin(attempt);
    expect(job.checkpoint).toEqual(last && sourceOf(last));
    const before = last;
    last = await stop(job, attempt * 100);
    const shown = await see();
    expect([shown.status, shown.progress]).toEqual(['queued', { completed: attempt * 100, total }]);
    // Clients see nothing of it.
    expect(JSON.stringify(shown)).not.toMatch(/checkpoint|cccc/);
    await runDurableObjectAlarm(stub);
    expect(await isThere(last)).toBe(true);
    if (before) await isDeleted(before);
    await evictDurableObject(stub);
  }
  const end = await begin(rounds + 1);
  expect((await see()).progress).toEqual({ completed: rounds * 100, total });
  expect((await report(end, success(end))).status).toBe(204);
  expect((await see()).status).toBe('succeeded');
  const bill = await usage();
  expect(bill).toEqual({ explanations: 1, compute_units: made.parameters.n_steps });
  expect((await again()).cache.status).toBe('hit');
  expect(await usage()).toEqual(bill);
  await runDurableObjectAlarm(stub);
  await isDeleted(last!);
});

test('a checkpoint goes when its run is canceled, with the part of the bill that was computed', async () => {
  const { key, begin, stop, made, see, stub, usage } = await underway();
  const checkpoint = await stop(await begin(1), 500);
  expect((await call('POST', made.urls.cancel, { key })).status).toBe(200);
  expect((await see()).status).toBe('canceled');
  await runDurableObjectAlarm(stub);
  await isDeleted(checkpoint);
  expect((await usage()).compute_units).toBeGreaterThan(0);
});

test('a checkpoint goes when its explanation is deleted, and when its run fails', async () => {
  const deleted = await underway();
  const one = await deleted.stop(await deleted.begin(1), 500);
  expect((await call('DELETE', deleted.made.urls.self, { key: deleted.key })).status).toBe(204);
  await runDurableObjectAlarm(deleted.stub);
  await isDeleted(one);

  const failed = await underway();
  const other = await failed.stop(await failed.begin(1), 500);
  const error = { code: 'invalid_image', message: 'No image.', retryable: false };
  await report(await failed.begin(2), { status: 'failed', error });
  await runDurableObjectAlarm(failed.stub);
  await isDeleted(other);
});

test('a checkpoint of which no report came goes with what else its attempt may have left', async () => {
  const { begin, stub } = await underway();
  const lost = checkpointOf(await begin(1), 500);
  await write(lost.object, 'its worker was killed while it wrote this');
  await later(stub, 61_000);
  const job = await begin(2);
  expect(job.checkpoint).toBeUndefined();
  await report(job, success(job));
  await later(stub, 11 * 60_000);
  await isDeleted(lost);
});

test('L5: a job that gets no further fails by name at the fifth stop', async () => {
  const { begin, see, usage } = await underway();
  for (let attempt = 1; attempt <= 5; attempt++) {
    expect((await see()).error).toBeNull();
    expect((await report(await begin(attempt), { status: 'handed_back', checkpoint: null })).status).toBe(
      204,
    );
  }
  expect(await see()).toMatchObject({ status: 'failed', error: { code: 'worker_crashed', retryable: true } });
  expect((await usage()).compute_units).toBe(0);
});

test('a hand-back that names another object, or none that can be, is refused', async () => {
  const { begin, see } = await underway();
  const job = await begin(1);
  const good = checkpointOf(job, 500);
  const answer = async (change: object) =>
    (await report(job, { status: 'handed_back', checkpoint: { ...good, ...change } })).status;
  expect(await answer({ object: `${prefixOf(job)}overlay.png` })).toBe(409);
  expect(await answer({ object: good.object.replace('/x/', '/u/') })).toBe(409);
  for (const change of [{ sha256: 'x' }, { bytes: 0 }, { bytes: 2 ** 30 }, { completed: -1 }, { total: 0.5 }])
    expect([change, await answer(change)]).toEqual([change, 400]);
  expect((await see()).status).toBe('processing');
});
