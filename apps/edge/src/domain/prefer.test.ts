import fc from 'fast-check';
import { expect, test } from 'vitest';
import { longestWait, preferredWait } from './prefer.ts';

const others = fc.constantFrom(
  'respond-async',
  'return=minimal',
  'handling=lenient',
  'waiting=5',
  'wait',
  'wait=',
  'wait=-1',
);

test('the wait is found among other preferences, in any spelling of RFC 7240, and is bounded', () => {
  const spelled = fc.constantFrom('wait=N', 'WAIT=N', ' wait = N ', 'wait="N"', 'wait=N; a=b');
  fc.assert(
    fc.property(
      fc.array(others),
      spelled,
      fc.nat(999_999),
      fc.array(others),
      (before, spelling, n, after) => {
        const header = [...before, spelling.replace('N', String(n)), ...after].join(',');
        expect(preferredWait(header)).toBe(Math.min(n, longestWait));
      },
    ),
  );
});

test('the first of several counts', () => expect(preferredWait('wait=3, wait=40')).toBe(3));

test('other preferences and malformed texts mean no wait; a valid wait is 0 to 60 seconds', () => {
  fc.assert(
    fc.property(fc.array(others), (all) => {
      expect(preferredWait(all.join(', '))).toBeNull();
    }),
  );
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^wait ?= ?"?[0-9a-f.+-]{0,8}"?$/)), (text) => {
      const wait = preferredWait(text);
      if (wait === null) return;
      expect(text).toMatch(/wait\s*=\s*"?\d/i);
      expect(wait).toBeGreaterThanOrEqual(0);
      expect(wait).toBeLessThanOrEqual(longestWait);
    }),
    { numRuns: 1_000 },
  );
  expect(preferredWait(undefined)).toBeNull();
});
