import { describe, expect, test } from 'vitest';
import type { StoreProblem } from './storage.ts';
import { waitForStore } from './wait-for-store.ts';

const region = { reason: 'Set S3_REGION=eu-west-1.', isAnswered: true };
const bucket = { reason: 'Make the bucket.', isAnswered: true };
const away = { reason: 'Nothing listens there.', isAnswered: false };

/** A store with these problems, one at each try, and then none. */
function storeWith(problems: StoreProblem[]) {
  const times: number[] = [];
  const findProblem = async () => {
    times.push(performance.now());
    return problems.shift() ?? null;
  };
  return { findProblem, times };
}

async function waited(problems: StoreProblem[], start?: number) {
  const [events, told] = [[] as unknown[], [] as string[]];
  await waitForStore(storeWith(problems), {
    log: (event, fields) => events.push([event, fields]),
    onProblem: (reason) => told.push(reason),
    signal: new AbortController().signal,
    shortest: 1,
    ...(start !== undefined && { start }),
  });
  return { events, told };
}

describe('L13: a worker waits until the store works', () => {
  test('L13: it logs each reason once, and tells each result', async () => {
    const { events, told } = await waited([region, region, bucket, region]);
    expect(told).toEqual([region, region, bucket, region].map(({ reason }) => reason));
    expect(events).toEqual([
      ['store_not_usable', { reason: region.reason }],
      ['store_not_usable', { reason: bucket.reason }],
      ['store_usable', undefined],
    ]);
  });

  test('L13: a store that starts together with it is told at once, and logged only if that takes long', async () => {
    expect(await waited([away, away], 600_000)).toEqual({ events: [], told: [away.reason, away.reason] });
    expect((await waited([away, away], 0)).events).toEqual([
      ['store_not_usable', { reason: away.reason }],
      ['store_usable', undefined],
    ]);
  });

  test('L13: its pauses grow by half, up to the longest', async () => {
    const { findProblem, times } = storeWith([region, region, region, region]);
    const settings = { log: () => {}, onProblem: () => {}, signal: new AbortController().signal };
    await waitForStore({ findProblem }, { ...settings, shortest: 40, longest: 80 });
    const pauses = times.slice(1).map((time, i) => time - times[i]!);
    // Timers may fire late, and up to a millisecond early.
    for (const [i, least] of [40, 60, 80, 80].entries()) expect(pauses[i]).toBeGreaterThanOrEqual(least - 1);
  });

  test('L13: told to stop, it ends', async () => {
    const controller = new AbortController();
    const settings = {
      log: () => {},
      signal: controller.signal,
      onProblem: () => controller.abort(new Error('stop')),
    };
    await expect(waitForStore(storeWith([region, region]), settings)).rejects.toThrow();
  });
});
