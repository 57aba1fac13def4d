import { type Presence, reportPeriod, workerPaths } from '@whylight/contract';
import { numericsVersion } from '@whylight/core/methods';
import { describe, expect, test } from 'vitest';
import { isPresent, isReady, longestSkew, mostMissed, workerOf } from './worker-presence.ts';

const now = 1_800_000_000_000;
const presence = (change: Partial<Presence> = {}): Presence => ({
  worker: 'w1',
  release: '1.2.3',
  contract: workerPaths.jobs,
  numerics_version: numericsVersion,
  state: 'ready',
  clock: now,
  catalog: null,
  done: [],
  wait: 0,
  ...change,
});

describe('a worker', () => {
  test.each([-longestSkew, 0, longestSkew])('B21: is ready with a clock that differs by %i s', (seconds) => {
    const worker = workerOf(presence({ clock: now + seconds * 1000 }), now);
    expect([worker.fault, isReady(worker)]).toEqual([null, true]);
  });

  test.each([
    [1_200, "the clock is 1,200 s ahead of the gateway's: set the time by NTP"],
    [-601, "the clock is 601 s behind the gateway's: set the time by NTP"],
  ])('L6: is not ready with a clock that differs by %i s, and hears why in words', (seconds, message) => {
    const worker = workerOf(presence({ clock: now + seconds * 1000 }), now);
    expect([worker.fault, isReady(worker)]).toEqual([{ code: 'wrong_clock', message }, false]);
  });

  test.each([
    [
      { contract: '/v0/jobs' },
      /release 1\.2\.3 takes jobs at \/v0\/jobs, .*: deploy the same release of both/,
    ],
    [
      { numerics_version: '0' },
      /release 1\.2\.3 has numerics version 0, .*: deploy the same release of both/,
    ],
  ])('L6: is not ready with %j', (change, message) => {
    const worker = workerOf(presence(change), now);
    expect([worker.fault?.message, isReady(worker)]).toEqual([expect.stringMatching(message), false]);
  });

  test.each(['starting', 'draining', 'failed'] as const)('takes no jobs while it is %s', (state) => {
    expect(isReady(workerOf(presence({ state }), now))).toBe(false);
  });

  test('is forgotten when it has missed more reports than it may, counted from the end of the last', () => {
    const worker = workerOf(presence({ wait: reportPeriod }), now);
    const periods = (count: number) => now + count * reportPeriod * 1000;
    expect(isPresent(worker, periods(1))).toBe(true);
    expect(isPresent(worker, periods(1 + mostMissed + 1))).toBe(true);
    expect(isPresent(worker, periods(1 + mostMissed + 1) + 1)).toBe(false);
  });
});
