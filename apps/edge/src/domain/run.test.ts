import { ownStyle } from '@whylight/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { meterId, outputPrefix, type Run, type Submission, stalePrefixes, unitsSpent } from './run.ts';
import { beginRun } from './transitions.ts';

const submission = {
  key: 'a'.repeat(64),
  tenant: 'ten_a',
  style: ownStyle(),
  question: {},
  units: 100,
} as unknown as Submission;
const statuses = ['queued', 'processing', 'succeeded', 'failed', 'canceled', 'aborted'] as const;
/** Also what no honest worker reports: a tenant's own model may say anything. */
const progress = fc.option(fc.record({ completed: fc.integer(), total: fc.integer() }));

test('G1: a run costs its units at most, all of them only with its result, and a failure nothing', () => {
  fc.assert(
    fc.property(fc.constantFrom(...statuses), fc.nat(1e6), progress, (status, units, made) => {
      const spent = unitsSpent({ ...beginRun(null, { ...submission, units }, 0), status, progress: made });
      expect(Number.isInteger(spent) && spent >= 0 && spent <= units).toBe(true);
      if (status === 'succeeded') expect(spent).toBe(units);
      if (status !== 'succeeded' && status !== 'canceled') expect(spent).toBe(0);
      if (status === 'canceled' && (made?.completed ?? 0) <= 0) expect(spent).toBe(0);
    }),
  );
});

test('G1: the part that is done of a canceled run never becomes cheaper as it goes on', () => {
  fc.assert(
    fc.property(fc.nat(1e4), fc.integer({ min: 1, max: 100 }), (units, total) => {
      const run = { ...beginRun(null, { ...submission, units }, 0), status: 'canceled' } as const;
      const costs = Array.from({ length: total + 1 }, (_, completed) =>
        unitsSpent({ ...run, progress: { completed, total } }),
      );
      expect(costs).toEqual(costs.toSorted((a, b) => a - b));
      expect(costs.at(-1)).toBe(units);
    }),
  );
});

test('no two attempts of one key write to the same place, whichever run they are of, and each run is billed by a name of its own', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 8 }), (tries) => {
      const prefixes: string[] = [];
      const names: string[] = [];
      let last: Run | null = null;
      for (const count of tries) {
        const begun: Run = beginRun(last, submission, 0);
        last = { ...begun, attempt: begun.attempt + count - 1, tries: count, status: 'failed' };
        const stale = stalePrefixes(last);
        expect(stale).toHaveLength(count);
        expect(stale).toContain(outputPrefix(last));
        prefixes.push(...stale);
        names.push(meterId(last));
      }
      expect(new Set(prefixes).size).toBe(prefixes.length);
      expect(new Set(names).size).toBe(names.length);
    }),
  );
});

test('the result of a run is never among what is deleted as stale, until it is erased', () => {
  const done: Run = { ...beginRun(null, submission, 0), status: 'succeeded', attempt: 3, tries: 3 };
  expect(stalePrefixes(done)).not.toContain(outputPrefix(done));
  expect(stalePrefixes(done)).toHaveLength(2);
  expect(stalePrefixes({ ...done, erased: true })).toContain(outputPrefix(done));
});
