import { type Scope, scopes } from '@whylight/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { grant } from './grant.ts';

const some = fc.subarray([...scopes]) as fc.Arbitrary<Scope[]>;
const time = fc.option(fc.integer({ min: 0, max: 4e12 }).map((at) => new Date(at).toISOString()));

test('A8: no key gets a scope or a day of life that the one that creates it has not', () => {
  fc.assert(
    fc.property(some, time, fc.option(some), time, (own, keyExpiresAt, wished, expires) => {
      const wish = { scopes: wished ?? undefined, expires_at: expires ?? undefined };
      const lacking = (wished ?? []).find((scope) => !own.includes(scope));
      const make = () => grant({ scopes: own, keyExpiresAt }, wish);
      if (lacking) {
        expect(make).toThrow(lacking);
        return;
      }
      const made = make();
      expect(own).toEqual(expect.arrayContaining(made.scopes));
      if (keyExpiresAt !== null) expect(made.expiresAt! <= keyExpiresAt).toBe(true);
      // And not less than was asked for.
      expect(made.scopes).toEqual(wished ?? own);
      const ends = [keyExpiresAt, expires].flatMap((end) => end ?? []).toSorted();
      expect(made.expiresAt).toBe(ends[0] ?? null);
    }),
    { numRuns: 500 },
  );
});

test('a scope that is asked for twice is passed on once', () => {
  const made = grant({ scopes: [...scopes], keyExpiresAt: null }, { scopes: [scopes[0]!, scopes[0]!] });
  expect(made).toEqual({ name: null, scopes: [scopes[0]], expiresAt: null });
});
