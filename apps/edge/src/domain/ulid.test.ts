import fc from 'fast-check';
import { expect, test } from 'vitest';
import { base32, type IdPrefix, isId, newId, ulid } from './ulid.ts';

const times = fc.integer({ min: 0, max: 2 ** 48 - 1 });

test('a later id sorts behind an earlier one, and the same millisecond begins alike', () => {
  fc.assert(
    fc.property(times, times, (a, b) => {
      const [one, two] = [ulid(a), ulid(b)];
      expect(one.slice(0, 10) === two.slice(0, 10)).toBe(a === b);
      if (a !== b) expect(one < two).toBe(a < b);
    }),
  );
  // The example of the specification.
  expect(ulid(1_469_918_176_385).slice(0, 10)).toBe('01ARYZ6S41');
});

test('no two ids of one millisecond are the same', () => {
  expect(new Set(Array.from({ length: 5_000 }, () => ulid(0))).size).toBe(5_000);
});

test('base 32 keeps order and value of bytes of one length', () => {
  const bytes = fc.uint8Array({ minLength: 16, maxLength: 16 });
  const value = (of: Uint8Array): bigint => of.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      const read = [...base32(a)].reduce((sum, char) => sum * 32n + BigInt(alphabet.indexOf(char)), 0n);
      expect(read).toBe(value(a));
      expect(base32(a) < base32(b)).toBe(value(a) < value(b));
    }),
  );
});

test('an id is known by its prefix; one character more, less or other is none', () => {
  const prefixes: readonly IdPrefix[] = ['ten', 'key', 'upl', 'exp', 'mdl', 'evt', 'req', 'bat', 'whk'];
  fc.assert(
    fc.property(
      fc.constantFrom(...prefixes),
      fc.constantFrom(...prefixes),
      fc.nat(25),
      fc.constantFrom(...'ILOUa/%.\0'),
      (prefix, other, at, odd) => {
        const id = newId(prefix);
        expect(isId(other, id)).toBe(prefix === other);
        const i = prefix.length + 1 + at;
        for (const text of [
          id.slice(0, -1),
          `${id}0`,
          ` ${id}`,
          id.slice(0, i) + odd + id.slice(i + 1),
          `${id}\n`,
        ])
          expect([text, isId(prefix, text)]).toEqual([text, false]);
      },
    ),
  );
});
