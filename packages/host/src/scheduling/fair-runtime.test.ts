import { float32, type Runtime } from '@whylight/core';
import { expect, test } from 'vitest';
import { runAs, shareFairly } from './fair-runtime.ts';

/** A device that writes down whose run it is given, and ends a run when it is told to. */
function recorded() {
  const runs: string[] = [];
  const gates: (() => void)[] = [];
  const device: Runtime = {
    device: 'cpu',
    load: async () => ({
      async run(feeds) {
        runs.push(Object.keys(feeds)[0]!);
        await new Promise<void>((resolve) => gates.push(resolve));
        return {};
      },
      close: async () => {},
    }),
  };
  const end = async () => {
    gates.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { runtime: shareFairly(device), runs, end };
}

test('F8: who has one run waits for one run of each other, not for all of them', async () => {
  const { runtime, runs, end } = recorded();
  const session = await runtime.load(new Uint8Array());
  const run = (owner: string, name: string) =>
    runAs(owner, () => session.run({ [name]: float32([1], new Float32Array(1)) }));
  for (let i = 0; i < 6; i++) void run('greedy', `g${i}`);
  void run('modest', 'm');
  void run('other', 'o0');
  void run('other', 'o1');
  for (let i = 0; i < 9; i++) await end();
  expect(runs).toEqual(['g0', 'g1', 'm', 'g2', 'o0', 'g3', 'o1', 'g4', 'g5']);
});

test('L8: who is fed more at a time has fewer runs, so that each gets the same of the device', async () => {
  const { runtime, runs, end } = recorded();
  const session = await runtime.load(new Uint8Array());
  const run = (owner: string, turns: number) => {
    const fed = float32([turns, 2 ** 18], new Float32Array(turns * 2 ** 18));
    return runAs(owner, () => session.run({ [owner]: fed }));
  };
  for (let i = 0; i < 9; i++) void run('large', 4);
  for (let i = 0; i < 24; i++) void run('small', 1);
  for (let i = 0; i < 22; i++) await end();
  // The first two came to an idle device.
  const fed = { large: 0, small: 0 };
  for (const owner of runs.slice(2)) fed[owner as keyof typeof fed] += owner === 'large' ? 4 : 1;
  expect(fed.small).toBeGreaterThan(10);
  expect(Math.abs(fed.large - fed.small)).toBeLessThanOrEqual(4 + 1);
});

test('a run that fails lets the next one have its turn', async () => {
  let runs = 0;
  const failing: Runtime = {
    device: 'cpu',
    load: async () => ({
      run: () => (runs++ < 3 ? Promise.reject(new Error('no')) : Promise.resolve({})),
      close: async () => {},
    }),
  };
  const session = await shareFairly(failing).load(new Uint8Array());
  const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => session.run({})));
  expect(outcomes.map(({ status }) => status[0])).toEqual(['r', 'r', 'r', 'f', 'f']);
});
