import type { Session } from '@whylight/core';
import { expect, test } from 'vitest';
import { oneAtATime } from './one-at-a-time.ts';

/** Sessions by name, and what is loaded at each moment. */
function watched() {
  const load = oneAtATime();
  const log: string[] = [];
  const open = (name: string) => async (): Promise<Session> => {
    log.push(`load ${name}`);
    return {
      run: async () => {
        log.push(`run ${name}`);
        return {};
      },
      close: async () => void log.push(`close ${name}`),
    };
  };
  return { log, open, session: (name: string) => load(open(name)), load };
}

test('of two large sessions one is loaded, and the other again when it is to run', async () => {
  const { log, session } = watched();
  const [a, b] = [await session('a'), await session('b')];
  await Promise.all([b.run({}), a.run({}), a.run({})]);
  await Promise.all([a.close(), b.close()]);
  expect(log).toEqual([
    'load a',
    'close a',
    'load b',
    'run b',
    'close b',
    'load a',
    'run a',
    'run a',
    'close a',
  ]);
});

test('a session that cannot be loaded leaves the others as they are', async () => {
  const { log, session, load } = watched();
  const a = await session('a');
  await expect(load(() => Promise.reject(new Error('no room')))).rejects.toThrow('no room');
  await a.run({});
  expect(log).toEqual(['load a', 'close a', 'load a', 'run a']);
});
