import { expect, test } from 'vitest';
import { LeaseCache } from './lease-cache.ts';

/** A cache of strings that writes down what is made and what is closed. */
function recorded(capacity: number) {
  const cache = new LeaseCache<{ close(): Promise<void> }>(capacity);
  const log: string[] = [];
  const make = (key: string) => async () => {
    log.push(`make ${key}`);
    return { close: async () => void log.push(`close ${key}`) };
  };
  const use = <T>(key: string, work: () => Promise<T>) => cache.use(key, make(key), work);
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

test('a value in use is closed only when its last user is done', async () => {
  const { log, use } = recorded(1);
  const gate = Promise.withResolvers<void>();
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
  const cache = new LeaseCache<{ close(): Promise<void> }>(2);
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
