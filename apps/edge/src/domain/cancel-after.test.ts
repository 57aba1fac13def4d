import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cancelAfter } from './cancel-after.ts';

const day = 24 * 3600;
const seconds = fc.integer({ min: 1, max: day });

/** Every way to write so many seconds, with the units that are nought left out or not. */
const spellings = (total: number, whole: boolean): string[] => {
  const [h, m, s] = [Math.floor(total / 3600), Math.floor((total % 3600) / 60), total % 60];
  const parts = [[h, 'h'] as const, [m, 'm'] as const, [s, 's'] as const];
  return [
    String(total),
    `${total}s`,
    `${Math.floor(total / 60)}m${s}s`,
    parts.flatMap(([n, unit]) => (n > 0 || whole ? [n + unit] : [])).join(''),
  ];
};

test('a time is the same however it is written', () => {
  fc.assert(
    fc.property(seconds, fc.boolean(), (total, whole) => {
      for (const text of spellings(total, whole))
        expect([text, cancelAfter(text)]).toEqual([text, total * 1000]);
    }),
  );
});

test('no text gives a time outside of a second to a day; what is refused says what is expected', () => {
  const near = fc.stringMatching(/^[0-9]{0,6}[hms]?[0-9]{0,6}[hms]? ?$/);
  fc.assert(
    fc.property(fc.oneof(near, fc.string()), (text) => {
      let milliseconds: number | null = null;
      try {
        milliseconds = cancelAfter(text);
      } catch (error) {
        expect(String(error)).toContain('expected 1s to 24h');
        return;
      }
      expect(milliseconds).toBeGreaterThanOrEqual(1_000);
      expect(milliseconds).toBeLessThanOrEqual(day * 1000);
    }),
    { numRuns: 1_000 },
  );
});

test.each(['', '0', '0s', '24h1s', '86401', '1m1h', '1s1m', 'h', '-1', '1.5s', '1h 30m', '٣s'])(
  '%j is refused',
  (text) => expect(() => cancelAfter(text)).toThrow('Cancel-After'),
);

test('without the header nothing is canceled', () => expect(cancelAfter(undefined)).toBeNull());
