import { deferred } from '@whylight/core';
import { expect, test } from 'vitest';
import { LeaseCache } from './lease-cache.ts';

/** A cache of strings that writes down what is made and what is closed. */
function recorded(capacity: number) {
  const cache = new LeaseCache<{ close(): Promise<void> }>({ capacity });
  const log: string[] = [];
  const make = (key: string) => async () => {
    log.push(`make ${key}`);
    return { close: async () => void log.push(`close ${key}`) };
  };
  const use = <T>(key: string, work: () => Promise<T>, owner?: string) =>
    cache.use(key, make(key), work, owner);
  return { cache, log, use };
}

const nothing = async () => undefined;

test('a value is made once, also when first uses overlap', async () => {
  const { log, use } = recorded(2);
  await Promise.all([use('a', nothing), use('a', nothing)]);
  await use('a', nothing);
  expect(log).toEqual(['make a']);
});

test('the least recently used value is closed when there is no room', async () => {
  const { log, use } = recorded(2);
  for (const key of ['a', 'b', 'a', 'c', 'a']) await use(key, nothing);
  expect(log).toEqual(['make a', 'make b', 'make c', 'close b']);
});

test('L8: the many values of one owner never evict the only one of another', async () => {
  const { log, use } = recorded(3);
  await use('mine', nothing, 'quiet');
  for (let round = 0; round < 3; round++)
    for (const key of ['a', 'b', 'c', 'd']) await use(key, nothing, 'noisy');
  await use('mine', nothing, 'quiet');
  expect(log.filter((line) => line.endsWith('mine'))).toEqual(['make mine']);
});

test('L8: the owner of the largest values makes room where there is too little memory', async () => {
  const log: string[] = [];
  const cache = new LeaseCache<{ size: number; close(): Promise<void> }>({
    ...{ capacity: 9, budget: 10, size: ({ size }) => size },
  });
  const use = (key: string, size: number, owner: string) =>
    cache.use(key, async () => ({ size, close: async () => void log.push(key) }), nothing, owner);
  for (const key of ['s1', 's2']) await use(key, 1, 'quiet');
  for (const key of ['l1', 'l2', 'l3']) await use(key, 6, 'noisy');
  await new Promise(setImmediate);
  expect(log).toEqual(['l1', 'l2']);
});

test('a value in use is closed only when its last user is done', async () => {
  const { log, use } = recorded(1);
  const gate = deferred<void>();
  const working = use('a', async () => {
    await gate.promise;
    log.push('a done');
  });
  await use('b', nothing);
  expect(log).toEqual(['make a', 'make b']);
  gate.resolve();
  await working;
  expect(log).toEqual(['make a', 'make b', 'a done', 'close a']);
});

test('a value that could not be made is tried again', async () => {
  const cache = new LeaseCache<{ close(): Promise<void> }>({ capacity: 2 });
  const failing = cache.use('a', () => Promise.reject(new Error('no')), nothing);
  await expect(failing).rejects.toThrow('no');
  expect(
    await cache.use(
      'a',
      async () => ({ close: nothing }),
      async () => 'made',
    ),
  ).toBe('made');
});

test('closing closes everything once', async () => {
  const { cache, log, use } = recorded(3);
  await use('a', nothing);
  await use('b', nothing);
  await cache.close();
  await cache.close();
  expect(log.slice(2).sort()).toEqual(['close a', 'close b']);
});

test('F7: values go, the least recently used first, until the rest is within the budget', async () => {
  const sizes = { a: 40, b: 30, c: 50, d: 200 };
  const closed: string[] = [];
  const cache = new LeaseCache<{ name: keyof typeof sizes; close(): Promise<void> }>({
    capacity: 10,
    budget: 100,
    size: ({ name }) => sizes[name],
  });
  const use = (name: keyof typeof sizes) =>
    cache.use(name, async () => ({ name, close: async () => void closed.push(name) }), nothing);
  for (const name of ['a', 'b', 'a'] as const) await use(name);
  await expect.poll(() => [closed, cache.held]).toEqual([[], { count: 2, size: 70 }]);
  await use('c');
  await expect.poll(() => [closed, cache.held]).toEqual([['b'], { count: 2, size: 90 }]);
  // One that is too large for the budget is still used, alone.
  await use('d');
  await expect.poll(() => [closed, cache.held]).toEqual([['b', 'a', 'c'], { count: 1, size: 200 }]);
});

test('a value that grows makes others go when it has been used', async () => {
  let grown = 10;
  const closed: string[] = [];
  const cache = new LeaseCache<{ name: string; close(): Promise<void> }>({
    capacity: 10,
    budget: 100,
    size: ({ name }) => (name === 'b' ? grown : 10),
  });
  const use = (name: string, work = nothing) =>
    cache.use(name, async () => ({ name, close: async () => void closed.push(name) }), work);
  await use('a');
  await use('b', async () => {
    grown = 95;
    return undefined;
  });
  await expect.poll(() => closed).toEqual(['a']);
});

test('a value that is forgotten is made again', async () => {
  const { cache, log, use } = recorded(2);
  await use('a', nothing);
  await cache.forget('a');
  await cache.forget('b');
  await use('a', nothing);
  expect(log).toEqual(['make a', 'close a', 'make a']);
});
