import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type Delivery,
  newDelivery,
  presentDelivery,
  recordAttempt,
  restartDelivery,
} from './webhook-delivery.ts';
import type { WebhookEvent } from './webhook-event.ts';

const event: WebhookEvent = { id: 'evt_a', type: 'explanation.succeeded', payload: '{}' };
const outcomes = fc.array(
  fc.record({
    outcome: fc.constantFrom('fail', 'fail', 'fail', 'succeed', 'last', 'restart'),
    late: fc.nat(1e6),
  }),
  { maxLength: 60 },
);

/** The delivery after each outcome; attempts are made when they are due, or later. */
function history(happened: readonly { outcome: string; late: number }[]): Delivery[] {
  const all = [newDelivery(event, 0)];
  for (const { outcome, late } of happened) {
    const last = all.at(-1)!;
    const now = (last.nextAt ?? last.attempts[0]!.at) + late;
    if (outcome === 'restart') all.push(restartDelivery(last, now));
    else if (last.nextAt !== null) {
      const error = outcome === 'succeed' ? null : 'refused';
      all.push(recordAttempt(last, { at: now, status: 500, error }, outcome === 'last'));
    }
  }
  return all;
}
const holds = (check: (all: readonly Delivery[]) => void): void =>
  fc.assert(
    fc.property(outcomes, (happened) => check(history(happened))),
    { numRuns: 500 },
  );

test('I5: an event keeps its id, type and payload, whatever becomes of it', () =>
  holds((all) => {
    for (const { id, type, payload } of all) expect({ id, type, payload }).toEqual(event);
  }));

test('I2: a delivery has a next attempt exactly while it is pending', () =>
  holds((all) => {
    for (const { status, nextAt } of all) expect(nextAt !== null).toBe(status === 'pending');
  }));

test('I2: attempts become rarer, never come too early, and end after ten', () =>
  holds((all) => {
    let pause = 0;
    for (const [i, delivery] of all.slice(1).entries()) {
      if (delivery.tries === 0) pause = 0;
      expect(delivery.tries).toBeLessThanOrEqual(10);
      if (delivery.tries === 0 || delivery.nextAt === null) continue;
      const next = delivery.nextAt - delivery.attempts[0]!.at;
      expect([i, next > pause]).toEqual([i, true]);
      pause = next;
    }
  }));

test('I2: an endpoint that is down for three days is tried on the third day still', () => {
  const failures = Array.from({ length: 9 }, () => ({ outcome: 'fail', late: 0 }));
  const [last] = history(failures).slice(-1);
  expect([last!.status, last!.nextAt! > 3 * 86_400_000]).toEqual(['pending', true]);
  expect(recordAttempt(last!, { at: last!.nextAt!, status: null, error: 'down' }, false).status).toBe(
    'failed',
  );
});

test('the latest twenty attempts are shown, newest first', () =>
  holds((all) => {
    const { attempts } = presentDelivery(all.at(-1)!);
    expect(attempts.length).toBeLessThanOrEqual(20);
    const times = attempts.map(({ at }) => at);
    expect(times).toEqual(times.toSorted().toReversed());
    const made = all.slice(1).filter(({ tries }, i) => tries > all[i]!.tries);
    expect(attempts).toHaveLength(Math.min(20, made.length));
  }));
