import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cancelAfter, cancelAfterPattern } from './cancel-after.ts';
import { idempotencyKey, idempotencyKeyPattern } from './idempotency.ts';

test('L17: the service takes every Cancel-After that the document describes', () => {
  fc.assert(
    fc.property(fc.stringMatching(new RegExp(cancelAfterPattern)), (text) => {
      expect(cancelAfter(text)).toBeGreaterThan(0);
    }),
  );
});

test('L17: the service takes every Idempotency-Key that the document describes', () => {
  fc.assert(
    fc.property(fc.stringMatching(new RegExp(idempotencyKeyPattern)), (text) => {
      expect(idempotencyKey(text)).toBe(text);
    }),
  );
});
