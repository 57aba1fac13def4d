import {
  createExecutionContext,
  createMessageBatch,
  evictDurableObject,
  getQueueResult,
  runDurableObjectAlarm,
  runInDurableObject,
} from 'cloudflare:test';
import type { Explanation } from '@whylight/contract';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { dispatch, mostRefusals } from '../src/dispatch.ts';
import {
  type AttemptMessage,
  deliveryTime,
  leaseTime,
  mostTries,
  mostWaiters,
  type Run,
} from '../src/domain/run.ts';
import {
  bindings,
  cacheKeyOf,
  call,
  explain,
  jobsTaken,
  later,
  newTenant,
  report,
  success,
  uploaded,
  workerAnswers,
} from './gateway.ts';
import { olderRun } from './older-run.ts';
import { operatorKey } from './secrets.ts';

const error = { code: 'non_finite_output', message: 'The network gave NaN.', retryable: false };

/** A tenant's request whose job the worker has (or, with another answer, has not) taken. */
async function underway(answer = 202) {
  const { key } = await newTenant();
  const upload = (await uploaded(key)).id;
  await workerAnswers(answer);
  const ask = (headers = {}) => explain(key, { input: { upload } }, headers);
  const { body } = await ask();
  const computation = cacheKeyOf(body);
  const see = async (): Promise<Explanation> =>
    (await call<Explanation>('GET', body.urls.self, { key })).body;
  return { key, ask, see, computation, stub: bindings.COMPUTATION.getByName(computation) };
}

/** Resolves once `count` explanations wait for the first run. */
const waitersOf = (stub: Awaited<ReturnType<typeof underway>>['stub'], count: number): Promise<void> =>
  vi.waitFor(
    async () => {
      const run = await runInDurableObject(stub, (_, { storage }) => storage.get<Run>('run/1'));
      expect(Object.keys(run!.waiters)).toHaveLength(count);
    },
    { timeout: 20_000 },
  );

const deliver = async (queue: string, body: AttemptMessage, env = bindings) => {
  const batch = createMessageBatch(queue, [{ id: 'm', timestamp: Date.now(), attempts: 1, body }]);
  await dispatch(batch, env);
  return getQueueResult(batch, createExecutionContext());
};

afterEach(() => workerAnswers(202));

test('a message that cannot be dealt with is tried again, and not its neighbours', async () => {
  const getByName = (name: string) => ({
    deliverJob: async () => {
      if (name === 'bad') throw new Error('D1_ERROR: the database is away');
      return null;
    },
  });
  const messages = ['good', 'bad', 'fine'].map((key) => ({
    ...{ id: key, timestamp: new Date(), attempts: 1, body: { key, attempt: 1 } },
  }));
  const batch = createMessageBatch<AttemptMessage>('jobs', messages);
  await dispatch(batch, { ...bindings, COMPUTATION: { getByName } } as never);
  const { explicitAcks, retryMessages } = await getQueueResult(batch, createExecutionContext());
  expect(explicitAcks.toSorted()).toEqual(['fine', 'good']);
  expect(retryMessages.map(({ msgId }) => msgId)).toEqual(['bad']);
});

describe('single computation', () => {
  test('H4: fifty identical requests at once are one job, and all get its result', async () => {
    const { key } = await newTenant();
    const upload = (await uploaded(key)).id;
    const asked = Array.from({ length: 50 }, () =>
      explain(key, { input: { upload } }, { Prefer: 'wait=30' }),
    );
    const probe = await explain(key, { input: { upload } });
    const [job] = await jobsTaken(cacheKeyOf(probe.body));
    await report(job!, success(job!));
    const answers = await Promise.all(asked);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(50);
    const via = [...answers, probe].map(({ body }) => body.cache.status);
    expect(via.filter((status) => status === 'miss')).toHaveLength(1);
    expect(
      answers.filter(({ headers }) => headers.get('Cache-Status')?.endsWith('collapsed')),
    ).not.toHaveLength(0);
    expect(await jobsTaken(cacheKeyOf(probe.body))).toHaveLength(1);
  });

  test('H4: who wait for one computation are bounded in number', async () => {
    const { ask, computation, stub } = await underway();
    await jobsTaken(computation);
    await runInDurableObject(stub, async (_, { storage }) => {
      const run = (await storage.get<Run>('run/1'))!;
      const [waiter] = Object.values(run.waiters);
      const waiters = Array.from({ length: mostWaiters - 1 }, (_, i) => [`exp_${i}`, waiter] as const);
      await storage.put('run/1', { ...run, waiters: Object.fromEntries(waiters) });
    });
    await evictDurableObject(stub);
    expect((await ask()).status).toBe(202);
    const refused = await ask();
    expect([refused.status, (refused.body as unknown as { code: string }).code]).toEqual([503, 'capacity']);
  });

  test('H4, H5: a failure reaches all who wait and is not kept: the next request starts again', async () => {
    const { ask, see, computation, stub } = await underway();
    const follower = ask({ Prefer: 'wait=30' });
    const [job] = await jobsTaken(computation);
    await waitersOf(stub, 2);
    expect((await report(job!, { status: 'failed', error })).status).toBe(204);
    expect((await follower).body).toMatchObject({ status: 'failed', error });
    const next = await ask();
    expect([next.status, next.body.cache.status]).toEqual([202, 'miss']);
    const [, second] = await jobsTaken(computation, 2);
    expect(second!.attempt).toBe(2);
    await report(second!, success(second!));
    expect(await see()).toMatchObject({ status: 'failed', error });
    expect((await ask()).body).toMatchObject({ status: 'succeeded', cache: { status: 'hit' } });
  });

  test('a computation remembers when it is put out of memory', async () => {
    const { ask, see, computation, stub } = await underway();
    const [job] = await jobsTaken(computation);
    await evictDurableObject(stub);
    expect((await ask()).body.cache.status).toBe('collapsed');
    await report(job!, success(job!));
    await evictDurableObject(stub);
    expect((await see()).status).toBe('succeeded');
  });

  test('a result that was stored by an earlier release is still known', async () => {
    const { ask, computation, stub } = await underway();
    const [job] = await jobsTaken(computation);
    await report(job!, success(job!));
    await runInDurableObject(stub, async (_, { storage }) => {
      const { version, waiters, owner, erased, metered, ...run } = (await storage.get<Run>('run/1'))!;
      expect([version, waiters, owner, erased, metered]).not.toContain(undefined);
      await storage.put('run/1', run);
    });
    await evictDurableObject(stub);
    expect((await ask()).body).toMatchObject({
      status: 'succeeded',
      cache: { status: 'hit' },
      expired: false,
    });
  });

  test('a run under way that was stored under the names of before is read: who waits, who has it, who is notified', async () => {
    const { ask, see, computation, stub } = await underway();
    await ask();
    const [job] = await jobsTaken(computation);
    const stored = (): Promise<Run> =>
      runInDurableObject(stub, async (_, { storage }) => (await storage.get<Run>('run/1'))!);
    await vi.waitFor(async () => expect((await stored()).accepted).toBe(true), { timeout: 20_000 });
    const before = await stored();
    await runInDurableObject(stub, (_, { storage }) => storage.put('run/1', olderRun(before)));
    await evictDurableObject(stub);
    expect((await ask()).body.cache.status).toBe('collapsed');
    const { waiters, accepted, ...run } = await stored();
    expect(accepted).toBe(true);
    expect(waiters).toMatchObject(before.waiters);
    expect(Object.keys(waiters)).toHaveLength(3);
    expect(Object.keys(run)).not.toEqual(expect.arrayContaining(['riders', 'taken']));
    await report(job!, success(job!));
    expect((await see()).status).toBe('succeeded');
  });

  test('G4: a queue that is down is 503 and leaves nothing begun', async () => {
    const { ask, computation, stub } = await underway();
    const [job] = await jobsTaken(computation);
    await report(job!, { status: 'failed', error });
    const queue = (send: unknown) =>
      runInDurableObject(stub, (instance) => {
        Object.assign(instance, { env: { ...bindings, JOBS: { send } } });
      });
    await queue(() => Promise.reject(new Error('down')));
    const refused = await ask();
    expect([refused.status, (refused.body as unknown as { code: string }).code]).toEqual([503, 'capacity']);
    await queue((message: AttemptMessage) => bindings.JOBS.send(message));
    expect((await ask()).body.cache.status).toBe('miss');
  });
});

describe('a queue that fails', () => {
  test('G4: takes nothing along of those who have joined meanwhile: their job is sent again', async () => {
    const { key, ask, computation, stub } = await underway();
    const [job] = await jobsTaken(computation);
    await report(job!, { status: 'failed', error });
    const down = Promise.withResolvers<void>();
    const send = vi.fn(() => down.promise);
    const queue = (JOBS: unknown) =>
      runInDurableObject(stub, (instance) => {
        Object.assign(instance, { env: { ...bindings, JOBS } });
      });
    await queue({ send });
    const leader = ask();
    await vi.waitFor(() => expect(send).toHaveBeenCalledOnce(), { timeout: 20_000 });
    const follower = await ask();
    down.reject(new Error('down'));
    expect([(await leader).status, follower.status]).toEqual([202, 202]);
    await queue(bindings.JOBS);
    expect((await call('GET', '/v1/explanations', { key })).status).toBe(200);
    await later(stub, deliveryTime + 1_000);
    const again = (await jobsTaken(computation, 2)).at(-1)!;
    expect((await report(again, success(again))).status).toBe(204);
    const { body } = await call('GET', follower.body.urls.self, { key });
    expect(body.status).toBe('succeeded');
  });
});

test('G4: a queue that is down when a worker hands its job back, or when the watchdog looks, only delays it', async () => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
  const { computation, stub } = await underway();
  const [job] = await jobsTaken(computation);
  const queue = (JOBS: unknown) =>
    runInDurableObject(stub, (instance) => {
      Object.assign(instance, { env: { ...bindings, JOBS } });
    });
  await report(job!, { status: 'processing' });
  await queue({ send: () => Promise.reject(new Error('down')) });
  expect((await report(job!, { status: 'handed_back', checkpoint: null })).status).toBe(204);
  await later(stub, deliveryTime + 1_000);
  await queue(bindings.JOBS);
  await later(stub, 2 * (deliveryTime + 1_000));
  expect((await jobsTaken(computation, 2))[1]!.attempt).toBe(4);
});

describe('fencing', () => {
  test('B9: after the end nothing changes, whatever a worker says', async () => {
    const { see, computation } = await underway();
    const [job] = await jobsTaken(computation);
    await report(job!, success(job!));
    for (const late of [
      { status: 'processing' },
      { status: 'progress', completed: 1, total: 2 },
      { status: 'failed', error },
    ])
      expect((await report(job!, late)).status).toBe(409);
    expect((await see()).status).toBe('succeeded');
  });

  test('C12: a worker whose last report was answered into the void may repeat it', async () => {
    const { computation } = await underway();
    const [job] = await jobsTaken(computation);
    expect((await report(job!, success(job!))).status).toBe(204);
    expect((await report(job!, success(job!))).status).toBe(204);
  });

  test('another lease, another attempt, another key and artifacts of another place are refused', async () => {
    const { see, computation } = await underway();
    const [job] = await jobsTaken(computation);
    const elsewhere = success(job!).artifacts.map((artifact) => ({
      ...artifact,
      object: `t/other/${artifact.name}`,
    }));
    const wrong = [
      report({ ...job!, lease: crypto.randomUUID() }, success(job!)),
      report({ ...job!, attempt: 2 }, success(job!)),
      report({ ...job!, report_url: job!.report_url.replace(computation, '0'.repeat(64)) }, success(job!)),
      report(job!, { ...success(job!), artifacts: elsewhere }),
      report(job!, { ...success(job!), artifacts: success(job!).artifacts.slice(1) }),
    ];
    expect((await Promise.all(wrong)).map(({ status }) => status)).toEqual([409, 409, 409, 409, 409]);
    expect((await see()).status).toBe('queued');
  });

  test('J11: a report that the worker has not signed is refused', async () => {
    const { see, computation } = await underway();
    const [job] = await jobsTaken(computation);
    expect((await report(job!, success(job!), 'some other secret')).status).toBe(401);
    const path = new URL(job!.report_url).pathname;
    expect(
      (await call('POST', path, { body: { attempt: 1, lease: job!.lease, ...success(job!) } })).status,
    ).toBe(401);
    expect((await see()).status).toBe('queued');
  });

  test('B10: a message delivered twice gives the worker one job', async () => {
    const { computation } = await underway();
    await jobsTaken(computation);
    const { explicitAcks } = await deliver('jobs', { key: computation, attempt: 1 });
    expect(explicitAcks).toHaveLength(1);
    expect(await jobsTaken(computation)).toHaveLength(1);
  });
});

describe('the watchdog', () => {
  test('B20, F14: a worker that falls silent loses its lease; the job is sent again, and the zombie’s report refused', async () => {
    const { see, computation, stub } = await underway();
    const [first] = await jobsTaken(computation);
    await report(first!, { status: 'processing' });
    await later(stub, leaseTime - 10_000);
    expect(await jobsTaken(computation)).toHaveLength(1);
    await later(stub, leaseTime + 1_000);
    const [, second] = await jobsTaken(computation, 2);
    expect(second).toMatchObject({ attempt: 2, question: first!.question });
    expect((await report(first!, success(first!))).status).toBe(409);
    expect((await report(second!, success(second!))).status).toBe(204);
    expect((await see()).attributions[0]!.artifacts.overlay.name).toBe('overlay.png');
  });

  test('a job that a worker says it still has is not given to another one, however long it waits', async () => {
    const { see, computation, stub } = await underway();
    const [job] = await jobsTaken(computation);
    const begun = Date.now();
    vi.useFakeTimers({ toFake: ['Date'] });
    for (let turn = 1; turn <= 3; turn++) {
      vi.setSystemTime(begun + turn * (leaseTime - 10_000));
      await runDurableObjectAlarm(stub);
      expect((await report(job!, { status: 'alive' })).status).toBe(204);
    }
    vi.useRealTimers();
    expect(await jobsTaken(computation)).toHaveLength(1);
    expect((await see()).status).toBe('queued');
    expect((await report({ ...job!, attempt: 2 }, { status: 'alive' })).status).toBe(409);
    await report(job!, success(job!));
    expect((await report(job!, { status: 'alive' })).status).toBe(409);
  });

  test('B19: a job that silences its worker three times fails by name', async () => {
    const { see, computation, stub } = await underway();
    for (let attempt = 1; attempt <= mostTries; attempt++) {
      const jobs = await jobsTaken(computation, attempt);
      await report(jobs.at(-1)!, { status: 'processing' });
      await later(stub, leaseTime + 1_000);
    }
    expect(await see()).toMatchObject({ status: 'failed', error: { code: 'worker_crashed' } });
  });

  test('a message that is lost is sent again, and after three times given up by name', async () => {
    const { key, ask, computation, stub } = await underway();
    const [job] = await jobsTaken(computation);
    await report(job!, { status: 'failed', error });
    const send = vi.fn(async () => {});
    await runInDurableObject(stub, (instance) => {
      Object.assign(instance, { env: { ...bindings, JOBS: { send } } });
    });
    const { body } = await ask();
    for (let attempt = 1; attempt <= mostTries; attempt++) {
      expect(send).toHaveBeenCalledTimes(attempt);
      await later(stub, attempt * (deliveryTime + 1_000));
    }
    const lost = (await call('GET', body.urls.self, { key })).body;
    expect(lost).toMatchObject({ status: 'failed', error: { code: 'worker_unreachable' } });
  });

  test('F5: a worker that is told to stop hands its job back', async () => {
    const { computation } = await underway();
    const [job] = await jobsTaken(computation);
    expect((await report(job!, { status: 'handed_back', checkpoint: null })).status).toBe(204);
    expect((await jobsTaken(computation, 2))[1]!.attempt).toBe(2);
    // The worker that repeats it has been heard.
    expect((await report(job!, { status: 'handed_back', checkpoint: null })).status).toBe(409);
  });
});

describe('the queue', () => {
  test('a worker that is full gets the job when it has room', async () => {
    const { computation } = await underway(503);
    expect(await deliver('jobs', { key: computation, attempt: 1 })).toMatchObject({ retryMessages: [] });
    await workerAnswers(202);
    // Two messages are about now; the worker knows by key and attempt that they are one job.
    expect(new Set((await jobsTaken(computation)).map(({ attempt }) => attempt))).toEqual(new Set([1]));
  });

  test('the message of a worker that does not answer stays in the queue', async () => {
    const { computation } = await underway(503);
    const away = { ...bindings, WORKER_URL: 'http://127.0.0.1:9' };
    const { retryMessages, explicitAcks } = await deliver('jobs', { key: computation, attempt: 1 }, away);
    expect([retryMessages.map(({ msgId }) => msgId), explicitAcks]).toEqual([['m'], []]);
  });

  test('a job that never reached a worker fails by name when it comes by the dead-letter queue', async () => {
    const { ask, see, computation } = await underway(503);
    await deliver('jobs-dead', { key: computation, attempt: 1 });
    expect(await see()).toMatchObject({
      status: 'failed',
      error: { code: 'worker_unreachable', retryable: true },
    });
    expect((await ask()).body.cache.status).toBe('miss');
  });

  test('a job that every worker has refused so many times fails, and no earlier', async () => {
    const { computation, see } = await underway(400);
    await deliver('jobs', { key: computation, attempt: 1, refusals: mostRefusals - 2 });
    expect((await see()).status).toBe('queued');
    await deliver('jobs', { key: computation, attempt: 1, refusals: mostRefusals - 1 });
    await vi.waitFor(async () => expect((await see()).error?.code).toBe('internal'), { timeout: 10_000 });
  });

  test('the backlog counts what waits and runs, and no longer what has ended', async () => {
    const backlog = async () => (await call('GET', '/internal/backlog', { key: operatorKey })).body.backlog;
    const before = await backlog();
    const { computation } = await underway();
    expect(await backlog()).toBe(before + 1);
    const [job] = await jobsTaken(computation);
    await report(job!, success(job!));
    expect(await backlog()).toBe(before);
  });
});
