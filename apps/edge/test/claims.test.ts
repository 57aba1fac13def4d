import {
  createExecutionContext,
  createMessageBatch,
  evictDurableObject,
  getQueueResult,
  runInDurableObject,
} from 'cloudflare:test';
import { type Explanation, type Job, sign } from '@whylight/contract';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { dispatch } from '../src/dispatch.ts';
import { type AttemptMessage, leaseTime, mostTries, type Run } from '../src/domain/run.ts';
import { services } from '../src/services.ts';
import {
  bindings,
  cacheKeyOf,
  call,
  claim,
  explain,
  jobsTaken,
  later,
  newTenant,
  nonceOf,
  prefixOf,
  report,
  say,
  success,
  uploaded,
  workerAnswers,
  write,
} from './gateway.ts';
import { olderRun } from './older-run.ts';
import { workerSecret } from './secrets.ts';

const { objects } = services(bindings);
const another = { nonce: 'f'.repeat(32), worker: 'w2' };

/** A tenant's request whose job the worker has (or, with another answer, has not) taken. */
async function underway(answer = 202) {
  const { key } = await newTenant();
  const upload = (await uploaded(key)).id;
  await workerAnswers(answer);
  const ask = async (): Promise<Explanation> => (await explain(key, { input: { upload } })).body;
  const made = await ask();
  const computation = cacheKeyOf(made);
  const stub = bindings.COMPUTATION.getByName(computation);
  const see = async () => (await call<Explanation>('GET', made.urls.self, { key })).body;
  const usage = async () => (await call('GET', '/v1/usage', { key })).body.data[0];
  /** The job as it goes to a worker; every call is one more delivery of the same attempt. */
  const job = async (attempt = 1): Promise<Job> =>
    (await services(bindings).computation(computation).deliverJob(attempt))!;
  return { key, made, ask, see, usage, computation, stub, job };
}

const deliver = async (queue: string, body: AttemptMessage) => {
  const batch = createMessageBatch(queue, [{ id: 'm', timestamp: Date.now(), attempts: 1, body }]);
  await dispatch(batch, bindings);
  return getQueueResult(batch, createExecutionContext());
};

const ended = ({ status, body }: { status: number; body: { code: string } | null }) => [status, body?.code];
const over = [409, 'attempt_over'];
const claimed = [409, 'attempt_claimed'];

afterEach(() => workerAnswers(202));

describe('a claim', () => {
  test('gives the attempt to one worker, also when it asks twice, and to no other', async () => {
    const { computation, see } = await underway();
    const [job] = await jobsTaken(computation);
    expect((await claim(job!)).status).toBe(204);
    expect((await claim(job!)).status).toBe(204);
    expect(ended(await claim(job!, another))).toEqual(claimed);
    // A worker that was started again makes another nonce.
    expect(ended(await claim(job!, { nonce: another.nonce }))).toEqual(claimed);
    expect((await see()).status).toBe('queued');
    expect((await report(job!, success(job!))).status).toBe(204);
  });

  test('L3: of ten workers that want the same attempt at once one gets it', async () => {
    const { computation } = await underway();
    const [job] = await jobsTaken(computation);
    const wanted = Array.from({ length: 10 }, (_, i) => ({ nonce: `${i}`.repeat(32), worker: `w${i}` }));
    const answers = await Promise.all(wanted.map((each) => claim(job!, each)));
    expect(answers.map(ended).toSorted()).toEqual([[204, undefined], ...Array(9).fill(claimed)]);
    const again = await Promise.all(wanted.map((each) => claim(job!, each)));
    expect(again.map(({ status }) => status)).toEqual(answers.map(({ status }) => status));
  });

  test('outlives the memory of the computation', async () => {
    const { computation, stub } = await underway();
    const [job] = await jobsTaken(computation);
    await claim(job!);
    await evictDurableObject(stub);
    expect(ended(await claim(job!, another))).toEqual(claimed);
    expect((await claim(job!)).status).toBe(204);
  });

  test('may come before the gateway has heard that the job was taken: then no other worker is sent it', async () => {
    const { computation, job, see } = await underway(503);
    const mine = await job();
    expect((await claim(mine)).status).toBe(204);
    await workerAnswers(202);
    expect((await deliver('jobs', { key: computation, attempt: 1 })).explicitAcks).toHaveLength(1);
    expect(await jobsTaken(computation, 0)).toEqual([]);
    await deliver('jobs-dead', { key: computation, attempt: 1 });
    expect((await report(mine, success(mine))).status).toBe(204);
    expect((await see()).status).toBe('succeeded');
  });

  test('that is made again does not prolong the lease: who only claims is no worker that is at work', async () => {
    const { computation, stub } = await underway();
    const [job] = await jobsTaken(computation);
    await claim(job!);
    const deadline = () =>
      runInDurableObject(stub, async (_, { storage }) => (await storage.get<Run>('run/1'))!.deadline);
    const before = await deadline();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 30_000 });
    expect((await claim(job!)).status).toBe(204);
    vi.useRealTimers();
    expect(await deadline()).toBe(before);
  });
});

describe('a claim is refused', () => {
  test('after the run was called off', async () => {
    const { key, made, computation } = await underway();
    const [job] = await jobsTaken(computation);
    await call('POST', made.urls.cancel, { key });
    expect(ended(await claim(job!))).toEqual(over);
  });

  test('after the explanation was deleted', async () => {
    const { key, made, computation } = await underway();
    const [job] = await jobsTaken(computation);
    expect((await call('DELETE', made.urls.self, { key })).status).toBe(204);
    expect(ended(await claim(job!))).toEqual(over);
  });

  test('after the end, from whomever', async () => {
    const { computation, see } = await underway();
    const [job] = await jobsTaken(computation);
    await report(job!, success(job!));
    expect(ended(await claim(job!))).toEqual(over);
    expect(ended(await claim(job!, another))).toEqual(over);
    expect((await see()).status).toBe('succeeded');
  });

  test('B20: after the lease has run out; the next attempt is anybody’s', async () => {
    const { computation, stub } = await underway();
    const [first] = await jobsTaken(computation);
    await later(stub, leaseTime + 1_000);
    const [, second] = await jobsTaken(computation, 2);
    expect(ended(await claim(first!))).toEqual(over);
    expect(ended(await claim(second!, { lease: first!.lease }))).toEqual(over);
    expect(ended(await claim(second!, { attempt: 3 }))).toEqual(over);
    expect((await claim(second!)).status).toBe(204);
  });

  test('for what was never asked, and for what is no key at all', async () => {
    const { computation } = await underway();
    const [job] = await jobsTaken(computation);
    const elsewhere = { ...job!, claim_url: job!.claim_url.replace(computation, '0'.repeat(64)) };
    expect(ended(await claim(elsewhere))).toEqual(over);
    const nowhere = { ...job!, claim_url: job!.claim_url.replace(computation, 'nowhere') };
    expect(ended(await claim(nowhere))).toEqual([404, 'resource_not_found']);
  });

  test('J11: without the worker’s signature', async () => {
    const { computation } = await underway();
    const [job] = await jobsTaken(computation);
    const path = new URL(job!.claim_url).pathname;
    const { attempt, lease } = job!;
    const text = JSON.stringify({ attempt, lease, nonce: nonceOf(job!), worker: 'w1' });
    const signed = { direction: 'worker-to-gateway', method: 'POST', path, body: text } as const;
    const now = Date.now() / 1000;
    const wrong: Record<string, string>[] = [
      {},
      await sign('some other secret', signed, now),
      await sign(workerSecret, { ...signed, direction: 'gateway-to-worker' }, now),
      await sign(workerSecret, { ...signed, path: new URL(job!.report_url).pathname }, now),
      await sign(workerSecret, { ...signed, body: text.replace('w1', 'w2') }, now),
    ];
    for (const headers of wrong)
      expect(ended(await call('POST', path, { body: text, headers }))).toEqual([401, 'invalid_signature']);
    // The signature is right and the clock is not: the worker hears which.
    const late = await sign(workerSecret, signed, now - 3_600);
    expect(ended(await call('POST', path, { body: text, headers: late }))).toEqual([401, 'wrong_clock']);
    expect((await claim(job!, another)).status).toBe(204);
  });

  test('with a body that is no claim', async () => {
    const { computation } = await underway();
    const [job] = await jobsTaken(computation);
    const wrong: object[] = [
      { nonce: 'F'.repeat(32) },
      { nonce: 'f'.repeat(31) },
      { nonce: '../../../../../../../../../etc/pw' },
      { nonce: undefined },
      { worker: 'a worker' },
      { worker: undefined },
      { attempt: 0 },
      { attempt: '1' },
      { lease: undefined },
      { tenant: 'ten_x' },
    ];
    for (const change of wrong) expect([change, (await claim(job!, change)).status]).toEqual([change, 400]);
    expect((await claim(job!, { worker: 'x'.repeat(5_000) })).status).toBe(413);
    expect((await claim(job!, another)).status).toBe(204);
  });
});

describe('reports', () => {
  test('L3: of a worker that has not claimed the attempt change nothing, whatever they say', async () => {
    const { computation, see, usage } = await underway();
    const [job] = await jobsTaken(computation);
    const { attempt, lease } = job!;
    const theirs = { attempt, lease, nonce: another.nonce };
    const foreign = success({ ...job!, lease: another.nonce });
    const all = [
      { status: 'processing' },
      { status: 'alive' },
      { status: 'progress', completed: 1, total: 2 },
      { status: 'failed', error: { code: 'worker_crashed', message: 'It stops.', retryable: true } },
      foreign,
    ];
    const refused = async () => {
      for (const each of all)
        expect([each, ...ended(await say(job!.report_url, { ...theirs, ...each }))]).toEqual([
          each,
          409,
          'stale_report',
        ]);
    };
    await refused();
    expect((await claim(job!)).status).toBe(204);
    await refused();
    // Nor can the right worker tell of what another one has written.
    expect((await report(job!, foreign)).status).toBe(409);
    expect((await see()).status).toBe('queued');
    expect((await report(job!, success(job!))).status).toBe(204);
    await refused();
    expect(await see()).toMatchObject({ status: 'succeeded' });
    expect(await usage()).toMatchObject({ explanations: 1 });
    expect(await jobsTaken(computation)).toHaveLength(1);
  });

  test('without a nonce are refused', async () => {
    const { computation, see } = await underway();
    const [job] = await jobsTaken(computation);
    await claim(job!);
    const { attempt, lease } = job!;
    expect((await say(job!.report_url, { attempt, lease, ...success(job!) })).status).toBe(400);
    expect((await see()).status).toBe('queued');
  });
});

test('L3: a message that is delivered twice at once, to two workers, ends in one result, one bill and one owner', async () => {
  const { computation, see, usage, ask } = await underway(503);
  await workerAnswers(202);
  await Promise.all([1, 2].map(() => deliver('jobs', { key: computation, attempt: 1 })));
  const [one, two] = await jobsTaken(computation, 2);
  expect(two).toEqual(one);
  expect((await claim(one!)).status).toBe(204);
  expect(ended(await claim(two!, another))).toEqual(claimed);
  await write(`${prefixOf(one!)}overlay.png`, 'mine');
  expect((await report(one!, success(one!))).status).toBe(204);
  expect(await see()).toMatchObject({ status: 'succeeded', cache: { status: 'miss' } });
  expect((await ask()).cache.status).toBe('hit');
  expect(await usage()).toMatchObject({ explanations: 1 });
});

describe('a worker that has claimed an attempt', () => {
  test('B20: and dies before it has written anything loses it; what it still wrote is deleted, and never seen', async () => {
    const { computation, stub, see, usage } = await underway();
    const warned = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const [first] = await jobsTaken(computation);
    await claim(first!);
    await later(stub, leaseTime + 1_000);
    expect(warned.mock.calls.join()).toContain('worker w1 loses attempt 1');
    const [, second] = await jobsTaken(computation, 2);
    expect((await claim(second!)).status).toBe(204);
    await write(`${prefixOf(first!)}overlay.png`, 'of a zombie');
    await write(`${prefixOf(second!)}overlay.png`, 'of the winner');
    expect((await report(first!, success(first!))).status).toBe(409);
    expect((await report(second!, success(second!))).status).toBe(204);
    await later(stub, 11 * 60_000);
    expect(await objects.head(`${prefixOf(first!)}overlay.png`)).toBeNull();
    expect(await objects.head(`${prefixOf(second!)}overlay.png`)).not.toBeNull();
    expect((await see()).status).toBe('succeeded');
    expect(await usage()).toMatchObject({ explanations: 1 });
  });

  test('B19: and dies three times in a row fails the job by name, and costs nothing', async () => {
    const warned = vi.spyOn(console, 'warn').mockImplementation(() => {});
    warned.mockClear();
    const { computation, stub, see, usage } = await underway();
    for (let attempt = 1; attempt <= mostTries; attempt++) {
      const jobs = await jobsTaken(computation, attempt);
      expect((await claim(jobs.at(-1)!)).status).toBe(204);
      await later(stub, leaseTime + 1_000);
    }
    expect(await see()).toMatchObject({
      status: 'failed',
      error: { code: 'worker_crashed', retryable: true },
    });
    expect(await usage()).toMatchObject({ compute_units: 0 });
    expect(warned.mock.calls.map(([line]) => /attempt (\d)/.exec(line)?.[1])).toEqual(['1', '2', '3']);
  });
});

describe('what an earlier release left behind', () => {
  /** As the release before this one has stored the run. */
  const asBefore = async (stub: DurableObjectStub, change: Partial<Run>) => {
    await runInDurableObject(stub, async (_, { storage }) => {
      const run = (await storage.get<Run>('run/1'))!;
      const { claims, ...older } = olderRun({ ...run, ...change }) as Partial<Run>;
      expect(claims).toBeDefined();
      await storage.put('run/1', older);
    });
    await evictDurableObject(stub);
  };

  test('an attempt that a worker of then is at is done again, once its lease has run out, and billed once', async () => {
    const { computation, stub, see, usage } = await underway();
    const [job] = await jobsTaken(computation);
    await asBefore(stub, { status: 'processing', accepted: true, startedAt: Date.now() });
    const { attempt, lease } = job!;
    expect((await say(job!.report_url, { attempt, lease, status: 'alive' })).status).toBe(400);
    // It wrote where workers of then did.
    await write(`${job!.output_prefix}overlay.png`, 'unclaimed');
    await later(stub, leaseTime + 1_000);
    const [, next] = await jobsTaken(computation, 2);
    expect((await report(next!, success(next!))).status).toBe(204);
    expect((await see()).status).toBe('succeeded');
    expect(await usage()).toMatchObject({ explanations: 1 });
    await later(stub, 11 * 60_000);
    expect(await objects.head(`${job!.output_prefix}overlay.png`)).toBeNull();
  });

  test('a message that no worker of then has taken is delivered and claimed', async () => {
    const { computation, stub, see } = await underway(503);
    await asBefore(stub, {});
    await workerAnswers(202);
    await deliver('jobs', { key: computation, attempt: 1 });
    const [job] = await jobsTaken(computation);
    expect((await report(job!, success(job!))).status).toBe(204);
    expect((await see()).status).toBe('succeeded');
  });

  test('a result is found where it was written then, and goes from there when it is deleted', async () => {
    const { key, made, computation, stub, ask } = await underway();
    const [job] = await jobsTaken(computation);
    await report(job!, success(job!));
    const place = job!.output_prefix;
    const names = success(job!).artifacts;
    const artifacts = names.map((each) => ({ ...each, object: place + each.name }));
    await asBefore(stub, { artifacts });
    for (const { object } of artifacts) await write(object, 'of then');
    expect((await ask()).cache.status).toBe('hit');
    const picture = await call('GET', `${made.urls.self}/artifacts/overlay.png`, { key });
    expect(new URL(picture.headers.get('Location')!).pathname.endsWith(`${place}overlay.png`)).toBe(true);
    expect((await call('DELETE', made.urls.self, { key })).status).toBe(204);
    for (const { object } of artifacts) expect(await objects.head(object)).toBeNull();
  });

  test('a worker that does not know how to claim is not sent jobs: they wait for one that does', async () => {
    const { computation, see } = await underway(404);
    const { retryMessages, explicitAcks } = await deliver('jobs', { key: computation, attempt: 1 });
    // It goes back to the queue with all its tries: only so many refusals fail it.
    expect([retryMessages.length, explicitAcks.length]).toEqual([0, 1]);
    expect((await see()).status).toBe('queued');
    await workerAnswers(202);
    await deliver('jobs', { key: computation, attempt: 1 });
    // The queue may have been as quick: then the worker has it twice, and claims it once.
    expect(new Set((await jobsTaken(computation)).map(({ attempt }) => attempt))).toEqual(new Set([1]));
  });
});
