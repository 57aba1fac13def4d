import { expect, test } from 'vitest';
import { Loaded } from './loaded.ts';

function watched(capacity: number) {
  const log: string[] = [];
  const loaded = new Loaded<{ name: string; close(): Promise<void> }>(capacity);
  const get = (key: string) =>
    loaded.get(key, async () => {
      log.push(`load ${key}`);
      return { name: key, close: async () => void log.push(`close ${key}`) };
    });
  return { log, loaded, get };
}

test('what was used last is kept; the oldest is closed before another is loaded', async () => {
  const { log, get } = watched(2);
  for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) expect((await get(key)).name).toBe(key);
  expect(log).toEqual(['load a', 'load b', 'close b', 'load c', 'close c', 'load b']);
});

test('what cannot be loaded is not kept', async () => {
  const { loaded, log, get } = watched(2);
  await expect(loaded.get('a', () => Promise.reject(new Error('no room')))).rejects.toThrow('no room');
  await get('a');
  expect(log).toEqual(['load a']);
});

test('of a model that is closed all is closed', async () => {
  const { log, loaded, get } = watched(4);
  for (const key of ['1 x', '1 y', '12 x']) await get(key);
  await loaded.end('1 ');
  expect(log.slice(3)).toEqual(['close 1 x', 'close 1 y']);
});
