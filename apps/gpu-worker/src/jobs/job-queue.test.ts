import { nonceSchema } from '@whylight/contract';
import { expect, test } from 'vitest';
import { jobFor } from '../testing/job.ts';
import { JobQueue, type JobQueueSettings } from './job-queue.ts';

/** A queue whose jobs end when they are told to, or are stopped; `claim` says whether they are this worker's. */
function recorded(concurrency: number, limit: number, claim: JobQueueSettings['claim'] = async () => true) {
  const log: string[] = [];
  const gates = new Map<string, () => void>();
  const queue = new JobQueue({
    concurrency,
    limit,
    claim,
    async run({ key, attempt }, signal) {
      const name = `${key[0]}${attempt}`;
      log.push(`start ${name}`);
      await new Promise<void>((resolve) => {
        gates.set(name, resolve);
        if (signal.aborted) resolve();
        signal.addEventListener('abort', () => resolve());
      });
      log.push(signal.aborted ? `${signal.reason} ${name}` : `end ${name}`);
    },
  });
  const offer = (name: string, attempt = 1, tenant = 'acme') =>
    queue.offer(jobFor({ key: name.repeat(64), attempt, output_prefix: `t/${tenant}/x/key/1/` }));
  const end = async (name: string) => {
    gates.get(name)!();
    await settled();
  };
  return { queue, log, offer, end };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test('jobs run in order, as many at a time as allowed', async () => {
  const { log, offer, end } = recorded(3, 9);
  expect(['a', 'b', 'c'].map((name) => offer(name))).toEqual(['taken', 'taken', 'taken']);
  await settled();
  expect(log).toEqual(['start a1', 'start b1']);
  await end('b1');
  expect(log).toEqual(['start a1', 'start b1', 'end b1', 'start c1']);
});

test('the job after the last place is sent away, and taken once there is room', async () => {
  const { queue, offer, end } = recorded(1, 1);
  expect([offer('a'), offer('b'), offer('c')]).toEqual(['taken', 'taken', 'full']);
  expect([queue.running, queue.waiting, queue.full]).toEqual([1, 1, true]);
  await settled();
  await end('a1');
  expect(offer('c')).toBe('taken');
});

test('a job that was taken is known: waiting, running and done', async () => {
  const { log, offer, end } = recorded(1, 9);
  offer('a');
  offer('b');
  expect([offer('a'), offer('b')]).toEqual(['known', 'known']);
  await settled();
  await end('a1');
  expect(offer('a')).toBe('known');
  expect(log.filter((line) => line === 'start a1')).toHaveLength(1);
});

test('a new attempt stops the one before it, and an older one is not run', async () => {
  const { log, offer } = recorded(3, 9);
  offer('a', 2);
  expect([offer('a', 3), offer('a', 1)]).toEqual(['taken', 'known']);
  await settled();
  expect(log).toEqual(['start a2', 'start a3', 'superseded a2']);
});

test('B11, B12: a job that nobody wants is stopped where it is, and not taken should it still come', async () => {
  const { queue, log, offer, end } = recorded(1, 9);
  offer('a');
  offer('b');
  await settled();
  for (const key of ['a', 'b', 'c']) queue.drop(key.repeat(64), 1);
  await settled();
  expect(log).toEqual(['start a1', 'unwanted a1', 'start b1', 'unwanted b1']);
  expect(offer('c')).toBe('known');
  expect(offer('a', 2)).toBe('taken');
  queue.drop('a'.repeat(64), 1);
  await settled();
  await end('a2');
  expect(log.at(-1)).toBe('end a2');
});

test('draining takes nothing new and waits for what is there', async () => {
  const { queue, log, offer, end } = recorded(1, 9);
  offer('a');
  offer('b');
  let drained = false;
  const draining = queue.drain(60_000).then(() => {
    drained = true;
  });
  expect(offer('c')).toBe('closed');
  await settled();
  await end('a1');
  expect(drained).toBe(false);
  await end('b1');
  await draining;
  expect(log).toEqual(['start a1', 'end a1', 'start b1', 'end b1']);
});

test('draining stops what does not end in time, and lets waiting jobs say so', async () => {
  const { queue, log, offer } = recorded(1, 9);
  offer('a');
  offer('b');
  await queue.drain(1);
  expect(log).toEqual(['start a1', 'shutdown a1', 'start b1', 'shutdown b1']);
});

test('an empty queue is drained at once', async () => {
  await recorded(1, 1).queue.drain(60_000);
});

test('F8: a tenant with many jobs leaves places to the others, and does not go before them again', async () => {
  const { log, offer, end } = recorded(3, 30);
  for (const name of ['a', 'b', 'c', 'd', 'e']) offer(name, 1, 'greedy');
  await settled();
  expect(log).toEqual(['start a1', 'start b1']);
  for (const name of ['1', '2']) offer(name, 1, 'modest');
  offer('9', 1, 'third');
  await settled();
  expect(log.at(-1)).toBe('start 11');
  await end('a1');
  expect(log.at(-1)).toBe('start 91');
  await end('91');
  // L8: the last place stays free for a tenant who has none.
  expect(log.at(-1)).toBe('end 91');
  await end('11');
  expect(log.slice(-2)).toEqual(['start c1', 'start 21']);
});

test('F8: one tenant cannot fill the queue', () => {
  const { offer, queue } = recorded(1, 6);
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  expect(names.map((name) => offer(name, 1, 'greedy'))).toEqual([...Array(5).fill('taken'), 'full']);
  expect([queue.waiting, offer('1', 1, 'modest'), offer('2', 1, 'third')]).toEqual([4, 'taken', 'taken']);
  expect([queue.full, offer('3', 1, 'fourth')]).toEqual([true, 'full']);
});

test('one at a time, tenants take turns', async () => {
  const { log, offer, end } = recorded(1, 30);
  for (const name of ['a', 'b', 'c']) offer(name, 1, 'greedy');
  offer('1', 1, 'modest');
  await settled();
  for (const name of ['a1', 'b1', '11']) await end(name);
  expect(log.filter((line) => line.startsWith('start'))).toEqual([
    'start a1',
    'start b1',
    'start 11',
    'start c1',
  ]);
});

test('each job that is taken has a nonce of its own', async () => {
  const nonces = new Set<string>();
  const { offer } = recorded(9, 9, async ({ nonce }) => nonces.size < nonces.add(nonce).size);
  for (const name of ['a', 'b', 'c']) offer(name);
  offer('a', 2);
  expect([nonces.size, [...nonces].filter((nonce) => !nonceSchema.safeParse(nonce).success)]).toEqual([
    4,
    [],
  ]);
});

test('L3: a job that another worker has never runs, and leaves its place at once, waiting or not', async () => {
  const claims = new Map<string, (isOurs: boolean) => void>();
  const { queue, log, offer, end } = recorded(
    1,
    3,
    ({ key }) => new Promise((resolve) => claims.set(key[0]!, resolve)),
  );
  for (const name of ['a', 'b', 'c']) offer(name);
  expect([queue.running, queue.waiting, offer('d')]).toEqual([1, 2, 'full']);
  claims.get('b')!(false);
  await settled();
  expect([queue.waiting, offer('d')]).toEqual([1, 'taken']);
  expect(queue.claimed).toEqual([]);
  claims.get('c')!(true);
  await settled();
  expect([log, queue.claimed.map(({ key }) => key[0])]).toEqual([[], ['c']]);
  claims.get('a')!(false);
  await settled();
  expect([log, queue.waiting]).toEqual([['start c1'], 1]);
  await end('c1');
  claims.get('d')!(false);
  await settled();
  expect([log, queue.running, queue.waiting]).toEqual([['start c1', 'end c1'], 0, 0]);
  expect(offer('a')).toBe('known');
});

test('draining waits for claims that were made, and lets a job that was given to this worker say that it stops', async () => {
  const claims = new Map<string, (isOurs: boolean) => void>();
  const { queue, log, offer } = recorded(
    1,
    9,
    ({ key }) => new Promise((resolve) => claims.set(key[0]!, resolve)),
  );
  offer('a');
  offer('b');
  let drained = false;
  const draining = queue.drain(0).then(() => {
    drained = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect([log, drained]).toEqual([[], false]);
  claims.get('a')!(true);
  claims.get('b')!(false);
  await draining;
  expect(log).toEqual(['start a1', 'shutdown a1']);
});
