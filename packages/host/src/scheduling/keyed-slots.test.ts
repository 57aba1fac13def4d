import { expect, test } from 'vitest';
import { FairQueue } from './fair-queue.ts';
import { KeyedSlots } from './keyed-slots.ts';

const never = new AbortController().signal;

/** A queue for slots, and a log of the tasks that start; `done` ends one. */
function watched(count: number) {
  const queue = new FairQueue({ capacity: new KeyedSlots(count) });
  const log: string[] = [];
  const gates = new Map<string, () => void>();
  const hold = (name: string, signal = never) =>
    queue.run(
      { owner: '', claim: name[0]! },
      async () => {
        log.push(name);
        await new Promise<void>((resolve) => gates.set(name, resolve));
      },
      signal,
    );
  const done = async (name: string) => {
    gates.get(name)!();
    await new Promise(setImmediate);
  };
  return { log, hold, done };
}

test('work with one thing takes one slot, however many do it', async () => {
  const { log, hold } = watched(1);
  void hold('a1');
  void hold('a2');
  void hold('b1');
  await new Promise(setImmediate);
  expect(log).toEqual(['a1', 'a2']);
});

test('who comes for what is in use does not overtake those who wait for another', async () => {
  const { log, hold, done } = watched(1);
  for (const name of ['a1', 'b1', 'a2']) void hold(name);
  await new Promise(setImmediate);
  expect(log).toEqual(['a1']);
  await done('a1');
  expect(log).toEqual(['a1', 'b1']);
  await done('b1');
  expect(log).toEqual(['a1', 'b1', 'a2']);
});

test('who gives up while waiting leaves the slot to the next', async () => {
  const { log, hold } = watched(1);
  const impatient = new AbortController();
  void hold('a1');
  const given = hold('b1', impatient.signal);
  void hold('a2');
  impatient.abort(new Error('enough'));
  await expect(given).rejects.toThrow('enough');
  await new Promise(setImmediate);
  expect(log).toEqual(['a1', 'a2']);
});

test('L8: an owner leaves slots to the others, and uses what it has as often as it likes', async () => {
  const slots = new KeyedSlots(4);
  const queue = new FairQueue({ capacity: slots, mayStart: slots.leaveSlots(1) });
  const log: string[] = [];
  const hold = (owner: string, claim: string) =>
    queue.run({ owner, claim }, async () => {
      log.push(`${owner} ${claim}`);
      await new Promise<void>(() => {});
    });
  for (const claim of ['a', 'a', 'b', 'b', 'a', 'c', 'a']) void hold('noisy', claim);
  for (const [owner, claim] of [
    ['quiet', 'x'],
    ['quiet', 'x'],
    ['quiet', 'y'],
    ['third', 'z'],
  ] as const)
    void hold(owner, claim);
  await new Promise(setImmediate);
  const noisy = ['a', 'a', 'b', 'b', 'a'].map((claim) => `noisy ${claim}`);
  expect(log).toEqual([...noisy, 'quiet x', 'quiet x', 'third z']);
});
