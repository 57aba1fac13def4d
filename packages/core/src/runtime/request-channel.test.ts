import { MessageChannel } from 'node:worker_threads';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { answerRequests, type Exchange, RequestChannel } from './request-channel.ts';

const open: { close(): void }[] = [];
afterEach(() => {
  for (const port of open.splice(0)) port.close();
});

/** Two ends with real ports between them. */
function connected(answer: (request: number, exchange: Exchange<string>) => Promise<number>) {
  const { port1, port2 } = new MessageChannel();
  open.push(port1, port2);
  const channel = new RequestChannel<number, number, string>(
    (message) => port1.postMessage(message),
    (failure) => new Error(String(failure)),
  );
  port1.on('message', (message) => channel.receive(message));
  const receive = answerRequests(
    (message) => port2.postMessage(message),
    answer,
    (error) => (error as Error).message,
  );
  port2.on('message', receive);
  return channel;
}

test('each request gets its own answer, in whatever order the answers come', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 12 }), async (delays) => {
      const channel = connected(async (delay) => {
        for (let n = 0; n < delay; n++) await new Promise((resolve) => setImmediate(resolve));
        if (delay % 3 === 2) throw new Error(`refused ${delay}`);
        return delay * 10;
      });
      const outcomes = await Promise.allSettled(delays.map((delay) => channel.request(delay)));
      const shown = outcomes.map((outcome) =>
        outcome.status === 'fulfilled' ? outcome.value : outcome.reason.message,
      );
      expect(shown).toEqual(delays.map((delay) => (delay % 3 === 2 ? `refused ${delay}` : delay * 10)));
      expect(channel.pending).toBe(0);
      for (const port of open.splice(0)) port.close();
    }),
    { numRuns: 20 },
  );
});

test('a request hears what is said before its answer, and only what is said to it', async () => {
  const channel = connected(async (request, { notify }) => {
    for (let n = 0; n < request; n++) notify(`${request}: ${n}`);
    return request;
  });
  const heard: string[][] = [[], []];
  await Promise.all(
    [1, 2].map((n, i) => channel.request(n, { onNotice: (notice) => heard[i]!.push(notice) })),
  );
  expect(heard).toEqual([['1: 0'], ['2: 0', '2: 1']]);
});

test('an abort reaches the request that it is for, and the other end answers nevertheless', async () => {
  const channel = connected(
    (request, { signal }) =>
      new Promise((resolve) => signal.addEventListener('abort', () => resolve(request * 2))),
  );
  const [one, other] = [new AbortController(), new AbortController()];
  const answers = [channel.request(1, one), channel.request(2, other)];
  other.abort();
  expect(await answers[1]).toBe(4);
  expect(channel.pending).toBe(1);
  one.abort();
  expect(await answers[0]).toBe(2);
});

test('a channel that closes fails what is under way and what comes after, with its first error', async () => {
  const channel = connected(() => new Promise(() => {}));
  const waiting = [1, 2].map((n) => channel.request(n));
  const outcomes = Promise.allSettled([...waiting]);
  channel.close(new Error('gone'));
  channel.close(new Error('gone again'));
  for (const outcome of await outcomes) expect(outcome).toMatchObject({ reason: { message: 'gone' } });
  await expect(channel.request(3)).rejects.toThrow('gone');
  expect([channel.pending, channel.isClosed]).toEqual([0, true]);
});

test('both ends ignore a foreign message', async () => {
  const strange = [
    null,
    undefined,
    'end',
    7,
    [],
    {},
    { id: 99, value: 1 },
    { id: null, failure: null },
    { id: {} },
  ];
  const sent: unknown[] = [];
  const channel = new RequestChannel<number, number>(
    (message) => sent.push(message),
    () => new Error(),
  );
  const answered = channel.request(1);
  for (const message of strange) channel.receive(message);
  expect(channel.pending).toBe(1);
  channel.receive({ id: 1, value: 5 });
  expect(await answered).toBe(5);
  const receive = answerRequests(
    (message) => sent.push(message),
    async () => 0,
    String,
  );
  for (const message of strange.slice(0, 6)) receive(message);
  receive({ id: 1, abort: true });
  expect(sent).toEqual([{ id: 1, request: 1 }]);
});
