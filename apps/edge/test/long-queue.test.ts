import {
  createExecutionContext,
  createMessageBatch,
  getQueueResult,
  runDurableObjectAlarm,
} from 'cloudflare:test';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { dispatch } from '../src/dispatch.ts';
import { type AttemptMessage, leaseTime, longestQueueTime, longestRun } from '../src/domain/run.ts';
import type { Bindings } from '../src/env.ts';
import { services } from '../src/services.ts';
import {
  at,
  bindings,
  cacheKeyOf,
  call,
  explain,
  newTenant,
  report,
  success,
  uploaded,
  workerAnswers,
} from './gateway.ts';

const minute = 60_000;
beforeEach(() => workerAnswers(503));
afterEach(() => workerAnswers(202));

/** An explanation while every worker is busy. */
async function queued() {
  const { key } = await newTenant();
  const made = (await explain(key, { input: { upload: (await uploaded(key)).id } })).body;
  const computation = services(bindings).computation(cacheKeyOf(made));
  const see = async () => (await call('GET', made.urls.self, { key })).body;
  const counts = async (): Promise<boolean> => {
    const row = bindings.DB.prepare('SELECT 1 FROM waiting_work WHERE key = ? AND expires_at > ?');
    return (await row.bind(cacheKeyOf(made), Date.now()).first()) !== null;
  };
  const alarm = () => runDurableObjectAlarm(bindings.COMPUTATION.getByName(cacheKeyOf(made)));
  return { key, made, computation, see, counts, alarm };
}

describe('L10: a job for which every worker is busy', () => {
  test('waits and counts for longer than half an hour, is computed when a worker has time, and is billed', async () => {
    const { key, computation, see, counts, alarm } = await queued();
    for (const minutes of [10, 29, 31, 90, 600, 1_430])
      await at(minutes * minute, async () => {
        expect(await computation.deliverJob(1), `after ${minutes} minutes`).not.toBeNull();
        await alarm();
        expect([(await see()).status, await counts()], `after ${minutes} minutes`).toEqual(['queued', true]);
        expect((await call('GET', '/v1/limits', { key })).body.concurrency.in_use).toBe(1);
      });
    await at(1_431 * minute, async () => {
      const job = (await computation.deliverJob(1))!;
      await report(job, success(job));
      expect([(await see()).status, await counts()]).toEqual(['succeeded', false]);
      const [today] = (await call('GET', '/v1/usage', { key })).body.data;
      expect(today).toMatchObject({ explanations: 1, compute_units: 1 });
    });
  });

  test('fails by name after a day, and counts no longer', async () => {
    const { computation, see, counts } = await queued();
    await at(longestQueueTime + minute, async () => {
      expect(await computation.deliverJob(1)).toBeNull();
      expect(await see()).toMatchObject({
        status: 'failed',
        error: { code: 'deadline_exceeded', message: expect.stringContaining('24 hours'), retryable: true },
      });
      expect(await counts()).toBe(false);
    });
  });

  test('gets another attempt if its worker dies, however long it has waited; the time limit of a run counts from its start', async () => {
    const { computation, see, alarm } = await queued();
    const start = 40 * minute;
    await at(start, async () => {
      const job = (await computation.deliverJob(1))!;
      await report(job, { status: 'processing' });
    });
    await at(start + leaseTime + 1_000, async () => {
      await alarm();
      expect((await see()).status).toBe('queued');
      const again = (await computation.deliverJob(2))!;
      await report(again, { status: 'processing' });
    });
    await at(start + longestRun + leaseTime, async () => {
      await alarm();
      expect((await see()).error).toMatchObject({ code: 'deadline_exceeded' });
    });
  });

  test('goes back to the queue with pauses that grow, and no shorter than the worker asks for', async () => {
    const { made } = await queued();
    const sent: [message: AttemptMessage, delay: number | undefined][] = [];
    const JOBS = {
      send: async (body: AttemptMessage, options?: QueueSendOptions) => {
        sent.push([body, options?.delaySeconds]);
      },
    } as unknown as Bindings['JOBS'];
    for (const deferrals of [undefined, 3, 4, 40, 1_000]) {
      const body = { key: cacheKeyOf(made), attempt: 1, ...(deferrals && { deferrals }) };
      const batch = createMessageBatch<AttemptMessage>('jobs', [
        { id: 'm', timestamp: new Date(), attempts: 1, body },
      ]);
      await dispatch(batch, { ...bindings, JOBS });
      const { explicitAcks } = await getQueueResult(batch, createExecutionContext());
      expect(explicitAcks).toEqual(['m']);
    }
    expect(sent.map(([{ deferrals }, delay]) => [deferrals, delay])).toEqual([
      [1, 1],
      [4, 1],
      [5, 2],
      [41, 11],
      [1_001, 30],
    ]);
  });
});
