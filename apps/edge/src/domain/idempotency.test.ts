import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Answer, claim, idempotencyKey, lockTime, type Reservation, replayTime } from './idempotency.ts';

const answer: Answer = { status: 201, headers: {}, body: '{}' };

/** Requests with one key: after a pause, with one of two bodies; and how those end that are carried out. */
const requests = fc.array(
  fc.record({
    pause: fc.oneof(fc.nat(2 * lockTime), fc.nat(2 * replayTime)),
    body: fc.constantFrom('a', 'b'),
    end: fc.constantFrom('answer', 'fail', 'die'),
  }),
  { maxLength: 30 },
);

interface Executed {
  readonly id: string;
  readonly body: string;
  readonly at: number;
  readonly end: string;
}

test('B1, B2, B3, B4, B7: of all requests with one key only those are carried out that must be, with one id', () => {
  fc.assert(
    fc.property(requests, (all) => {
      let kept: Reservation | null = null;
      let now = 0;
      let last: Executed | null = null;
      for (const [i, { pause, body, end }] of all.entries()) {
        now += pause;
        const isKnown: boolean = kept !== null && now < (kept as Reservation).expiresAt;
        const [outcome, next]: ReturnType<typeof claim> = claim(kept, body, `exp_${i}`, now);
        kept = next;
        if (outcome.outcome !== 'execute') expect(isKnown).toBe(true);
        if (outcome.outcome === 'replay') expect([last!.end, last!.body]).toEqual(['answer', body]);
        if (outcome.outcome === 'in_progress')
          expect([last!.end, now - last!.at < lockTime]).toEqual(['die', true]);
        if (outcome.outcome === 'reused') expect(last!.body).not.toBe(body);
        if (outcome.outcome !== 'execute') continue;
        // While the key is known: never after an answer; with the id of before, unless that failed with another body.
        if (isKnown) {
          const isOther = last!.body !== body;
          expect([last!.end === 'answer', isOther && last!.end !== 'fail']).toEqual([false, false]);
          expect(outcome.id).toBe(isOther ? `exp_${i}` : last!.id);
          if (last!.end === 'die') expect(now - last!.at).toBeGreaterThanOrEqual(lockTime);
        } else expect(outcome.id).toBe(`exp_${i}`);
        last = { id: outcome.id, body, at: now, end };
        if (end === 'answer') kept = { ...next, answer };
        if (end === 'fail') kept = { ...next, lockedUntil: 0 };
      }
    }),
    { numRuns: 1_000 },
  );
});

test('B1, B7: an answer is given again for a day to the millisecond, and to no other body', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 * replayTime }), (later) => {
      const [, reserved] = claim(null, 'a', 'exp_1', 0);
      const kept = { ...reserved, answer };
      const isKept = later < replayTime;
      expect(claim(kept, 'a', 'exp_2', later)[0]).toEqual(
        isKept ? { outcome: 'replay', answer } : { outcome: 'execute', id: 'exp_2' },
      );
      expect(claim(kept, 'b', 'exp_2', later)[0].outcome).toBe(isKept ? 'reused' : 'execute');
    }),
  );
});

test('B5: a key is printable ASCII of 1 to 255 characters, and comes back as it was sent', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ maxLength: 300 }), fc.string({ unit: 'binary', maxLength: 9 })),
      (text) => {
        const isValid =
          text.length >= 1 && text.length <= 255 && [...text].every((char) => char >= ' ' && char <= '~');
        if (isValid) expect(idempotencyKey(text)).toBe(text);
        else expect(() => idempotencyKey(text)).toThrow('1 to 255 printable ASCII');
      },
    ),
    { numRuns: 500 },
  );
  expect(idempotencyKey(undefined)).toBeNull();
});
