import { expect, test } from 'vitest';
import { Budget } from './budget.ts';
import { FairQueue } from './fair-queue.ts';

const pixels = (claim: number) => ({ owner: '', claim });

function recorded(size: number) {
  const queue = new FairQueue({ capacity: new Budget(size) });
  const log: string[] = [];
  const gates = new Map<string, () => void>();
  const hold = (name: string, of: number) =>
    queue.run(pixels(of), async () => {
      log.push(name);
      await new Promise<void>((resolve) => gates.set(name, resolve));
    });
  const leave = async (name: string) => {
    gates.get(name)!();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { hold, leave, log };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test('what fits is let in, in order; a small one does not overtake a large one', async () => {
  const { hold, leave, log } = recorded(10);
  for (const [name, size] of [
    ['a', 6],
    ['b', 5],
    ['c', 1],
  ] as const)
    void hold(name, size);
  await settled();
  expect(log).toEqual(['a']);
  await leave('a');
  expect(log).toEqual(['a', 'b', 'c']);
});

test('what is larger than the budget has it alone', async () => {
  const { hold, leave, log } = recorded(10);
  void hold('a', 1);
  void hold('vast', 1000);
  void hold('b', 1);
  await settled();
  expect(log).toEqual(['a']);
  await leave('a');
  expect(log).toEqual(['a', 'vast']);
  await leave('vast');
  expect(log).toEqual(['a', 'vast', 'b']);
});

test('work that fails leaves its share to the next', async () => {
  const queue = new FairQueue({ capacity: new Budget(1) });
  await expect(queue.run(pixels(1), () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await queue.run(pixels(1), async () => 'in')).toBe('in');
});
