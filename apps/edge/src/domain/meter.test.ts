import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { computeUnits } from './compute-units.ts';
import {
  at,
  begin,
  beginBatch,
  defaultLimits,
  end,
  endBatch,
  type Meter,
  newMeter,
  request,
  unitsUsed,
  upgradeMeter,
} from './meter.ts';

const noon = Date.parse('2026-11-23T12:00:00Z');
const limits = { requests: 5, concurrency: 2, compute_units: 100, batches: 2 };
const isMeter = (result: object): result is Meter => 'limits' in result;

/** Times at which requests were let through. */
function admitted(times: readonly number[]): number[] {
  let meter = newMeter(limits, noon);
  return times.filter((time) => {
    const result = request(at(meter, time), time);
    if (isMeter(result)) meter = result;
    return isMeter(result);
  });
}

describe('requests', () => {
  test('G3, G6: no window of 60 s ever holds more than the limit, wherever it lies', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 60 });
    fc.assert(
      fc.property(gaps, (steps) => {
        let now = noon;
        const times = admitted(steps.map((step) => (now += step)));
        for (const start of times)
          expect(times.filter((time) => time >= start && time < start + 60_000).length).toBeLessThanOrEqual(
            5,
          );
      }),
    );
  });

  test('G6: exactly as many as the limit are let through', () => {
    expect(admitted(Array.from({ length: 9 }, () => noon))).toHaveLength(5);
  });

  test('G5: after the time that the refusal names there is room', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 59_000 }), { minLength: 5, maxLength: 9 }), (steps) => {
        let meter = newMeter(limits, noon);
        for (const step of steps.toSorted((a, b) => a - b)) {
          const now = noon + step;
          const result = request(at(meter, now), now);
          if (isMeter(result)) meter = result;
          else {
            const then = now + result.seconds * 1000;
            expect(isMeter(request(at(meter, then), then))).toBe(true);
          }
        }
      }),
    );
  });
});

describe('computations', () => {
  const opened = (meter: Meter, id: string, units: number) => begin(meter, id, units, noon + 1000, noon);

  test('G6: the last place and the last unit can be had, the next not', () => {
    const one = opened(newMeter(limits, noon), 'a', 40) as Meter;
    expect(opened(one, 'b', 61)).toEqual({ policy: 'compute', limit: 100, seconds: 43_200 });
    const two = opened(one, 'b', 60) as Meter;
    expect(unitsUsed(two)).toBe(100);
    expect(opened(two, 'c', 0)).toMatchObject({ policy: 'concurrency' });
  });

  test('B10: one that is begun or ended twice is counted once', () => {
    const once = opened(newMeter(limits, noon), 'a', 40) as Meter;
    expect(opened(once, 'a', 40)).toBe(once);
    const ended = end(end(once, 'a', 40), 'a', 40);
    expect(ended.today).toMatchObject({ explanations: 1, compute_units: 40 });
  });

  test('one whose end was never told is forgotten, and a new day begins at nought', () => {
    const open = opened(newMeter(limits, noon), 'a', 40) as Meter;
    expect(unitsUsed(at(open, noon + 1001))).toBe(0);
    const spent = end(open, 'a', 40);
    expect(unitsUsed(at(spent, noon + 43_199_999))).toBe(40);
    expect(unitsUsed(at(spent, noon + 43_200_000))).toBe(0);
  });

  test('the defaults let a first request and computation through', () => {
    const meter = newMeter(defaultLimits, noon);
    expect(isMeter(request(meter, noon)) && isMeter(opened(meter, 'a', 1))).toBe(true);
  });
});

describe('batches that wait', () => {
  test('G6: the last one is let through, the next is not; one that ended or was forgotten leaves its place', () => {
    const [first, second] = ['a', 'b'].map((id) => (meter: Meter) => beginBatch(meter, id, noon + 1000));
    const two = second!(first!(newMeter(limits, noon)) as Meter) as Meter;
    expect(first!(two)).toBe(two);
    expect(beginBatch(two, 'c', noon + 1000)).toEqual({ policy: 'batches', limit: 2, seconds: 1 });
    expect(isMeter(beginBatch(endBatch(two, 'a'), 'c', noon + 1000))).toBe(true);
    expect(isMeter(beginBatch(at(two, noon + 1001), 'c', noon + 2000))).toBe(true);
  });

  test('a meter of an earlier release knows of none, and has the usual limit', () => {
    const { batches: _, limits: all, ...rest } = newMeter(limits, noon);
    const { batches: __, ...known } = all;
    expect(upgradeMeter({ ...rest, limits: known })).toEqual({
      ...newMeter(limits, noon),
      limits: { ...limits, batches: defaultLimits.batches },
    });
  });
});

test.each([
  ['grad-cam', {}, 1],
  ['grad-cam', { aug_smooth: true }, 6],
  ['xrai', { n_steps: 100 }, 200],
  ['sobol', { n_samples: 32, grid_size: 8 }, 2080],
  ['hsic', { n_samples: 500, grid_size: 8 }, 500],
  ['integrated-gradients', { n_steps: 50 }, 50],
  ['shapley', { n_samples: 25, num_samples: 4 }, 100],
  // ⌈(3-3)/3⌉+1 = 1, ⌈(128-15)/8⌉+1 = 16
  ['occlusion', { sliding_window_shapes: [3, 15, 15], strides: [3, 8, 8] }, 256],
])('%s with %j costs %i units', (method, parameters, units) => {
  expect(computeUnits({ method, parameters } as never, [3, 128, 128])).toBe(units);
});
