import { describe, expect, test } from 'vitest';
import { waitForStore } from './wait-for-store.ts';

const region = 'Set S3_REGION=eu-west-1.';
const bucket = 'Make the bucket.';

/** A store with these faults, one at each try, and then none. */
function storeWith(faults: (string | null)[]) {
  const times: number[] = [];
  const findFault = async () => {
    times.push(performance.now());
    return faults.shift() ?? null;
  };
  return { findFault, times };
}

describe('L13: a worker waits until the store works', () => {
  test('L13: it logs each reason once, and tells each result', async () => {
    const events: unknown[] = [];
    const told: string[] = [];
    await waitForStore(storeWith([region, region, bucket, region]), {
      log: (event, fields) => events.push([event, fields]),
      onFault: (fault) => told.push(fault),
      signal: new AbortController().signal,
      shortest: 1,
    });
    expect(told).toEqual([region, region, bucket, region]);
    expect(events).toEqual([
      ['store_not_usable', { reason: region }],
      ['store_not_usable', { reason: bucket }],
      ['store_usable', undefined],
    ]);
  });

  test('L13: its pauses double, up to the longest', async () => {
    const { findFault, times } = storeWith([region, region, region, region]);
    const settings = { log: () => {}, onFault: () => {}, signal: new AbortController().signal };
    await waitForStore({ findFault }, { ...settings, shortest: 40, longest: 80 });
    const pauses = times.slice(1).map((time, i) => time - times[i]!);
    // Timers may fire late, and up to a millisecond early.
    for (const [i, least] of [40, 80, 80, 80].entries()) expect(pauses[i]).toBeGreaterThanOrEqual(least - 1);
  });

  test('L13: told to stop, it ends', async () => {
    const controller = new AbortController();
    const settings = { log: () => {}, signal: controller.signal, onFault: () => controller.abort(new Error('stop')) };
    await expect(waitForStore(storeWith([region, region]), settings)).rejects.toThrow();
  });
});
