import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Run } from './run.ts';
import { newId } from './ulid.ts';
import { endEvent } from './webhook-event.ts';

const submission = {
  tenant: 'ten_secret',
  key: 'k'.repeat(64),
  question: { model: 'sha256:0', method: 'grad-cam' },
};
const runs = fc
  .record({
    status: fc.constantFrom('succeeded', 'failed', 'canceled', 'aborted'),
    completedAt: fc.nat(4e12),
    error: fc.option(
      fc.record({
        code: fc.constant('internal'),
        message: fc.nat(1e5).map((length) => 'x'.repeat(length)),
        retryable: fc.boolean(),
      }),
    ),
  })
  .map(
    (run) =>
      ({
        ...run,
        submission,
        artifacts: [{ object: 't/ten_secret/x' }],
        lease: 'lease-secret',
      }) as unknown as Run,
  );

test('I5, B10: the id of an event follows from the explanation alone, and differs for another', () => {
  fc.assert(
    fc.property(runs, runs, (one, two) => {
      const [a, b] = [newId('exp'), newId('exp')];
      expect(endEvent(a, one).id).toBe(endEvent(a, two).id);
      expect(endEvent(a, one).id).not.toBe(endEvent(b, one).id);
    }),
  );
});

test('I4: a payload is small, says what has become of it, and has nothing that gives access', () => {
  fc.assert(
    fc.property(runs, (run) => {
      const id = newId('exp');
      const { type, payload } = endEvent(id, run);
      const { data, timestamp, ...rest } = JSON.parse(payload);
      expect(rest).toEqual({ type });
      expect([type, data.status]).toEqual([`explanation.${run.status}`, run.status]);
      expect([data.url, Date.parse(timestamp)]).toEqual([`/v1/explanations/${id}`, run.completedAt]);
      expect(payload.length).toBeLessThan(20_000);
      expect(JSON.stringify({ ...data, error: null })).not.toMatch(/ten_secret|lease-secret|t\/|signed_url/);
      expect(data.error?.code).toBe(run.error?.code);
    }),
  );
});
