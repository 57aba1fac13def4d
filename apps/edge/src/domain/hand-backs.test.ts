import { checkpointUnder, ownStyle, type Report } from '@whylight/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkpointPrefix, isTerminal, jobOf, outputPrefix, type Run, type Submission } from './run.ts';
import { applyReport, beginRun, claimAttempt, retryOrFail } from './transitions.ts';

const submission = {
  ...{ key: 'a'.repeat(64), tenant: 'ten_a', units: 1, style: ownStyle() },
  question: { method: 'integrated-gradients' },
} as unknown as Submission;
const total = 1_000_000;
const urls = { claim_url: '', report_url: '' };

const claimed = (run: Run): Run => {
  const { attempt, lease } = run;
  return claimAttempt(run, { attempt, lease, nonce: nonceOf(attempt), worker: 'w' }, 0) as Run;
};
const nonceOf = (attempt: number): string => attempt.toString(16).padStart(32, '0');

type Body = Report extends infer R
  ? R extends Report
    ? Omit<R, 'attempt' | 'lease' | 'nonce'>
    : never
  : never;
const heard = (run: Run, body: Body): Run | null => {
  const { attempt, lease } = run;
  return applyReport(run, { attempt, lease, nonce: nonceOf(attempt), ...body }, 0);
};

const checkpointOf = (run: Run, completed: number) => ({
  object: checkpointUnder(outputPrefix(run)),
  ...{ sha256: 'f'.repeat(64), bytes: 10, completed, total },
});

/** A worker takes the attempt, begins it, and stops in order; `done` samples are done then, or none that is new. */
function stop(run: Run, done: number | null, begins = true): Run {
  const mine = claimed(run);
  const begun = begins ? heard(mine, { status: 'processing' })! : mine;
  const checkpoint = done === null ? null : checkpointOf(begun, done);
  return heard(begun, { status: 'handed_back', checkpoint })!;
}

const first = beginRun(null, submission, 0);

describe('L5: a run whose workers stop in order', () => {
  test('never fails as long as each of them has done some samples, however many they are', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 200 }), (steps) => {
        let [run, done] = [first, 0];
        for (const step of steps) {
          done += step;
          run = stop(run, done);
          expect([run.status, run.crashes, run.losses]).toEqual(['queued', 0, 0]);
          expect(run.progress).toEqual({ completed: done, total });
        }
        expect(run.attempt).toBe(steps.length + 1);
      }),
    );
  });

  test('ends by name where none of them gets any further, and not before the fifth', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 20 }),
        fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
        (steps, again) => {
          let [run, done] = [first, 0];
          for (const step of steps) {
            done += step;
            run = stop(run, done);
          }
          // Some write the same samples again, because they could not use the checkpoint.
          for (const [i, writes] of again.entries()) {
            expect(run.status).toBe('queued');
            run = stop(run, writes && i < done ? done - i : null);
          }
          expect(run).toMatchObject({ status: 'failed', error: { code: 'worker_crashed', retryable: true } });
        },
      ),
    );
  });

  test('ends, whatever they say, after five stops for each sample at most', () => {
    const samples = 10;
    const most = 5 * (samples + 1);
    fc.assert(
      fc.property(fc.infiniteStream(fc.option(fc.integer({ min: 0, max: samples }))), (said) => {
        let [run, stops] = [first, 0];
        for (const done of said) {
          if (isTerminal(run) || stops > most) break;
          run = stop(run, done);
          stops++;
        }
        expect(stops).toBeLessThanOrEqual(most);
      }),
    );
  });

  test('loses nothing by those that had not begun its job', () => {
    let run = first;
    for (let i = 0; i < 20; i++) run = stop(run, null, false);
    expect([run.status, run.idleHandBacks, run.crashes, run.losses]).toEqual(['queued', 0, 0, 0]);
  });

  test('still fails when workers crash three times, hand-backs with progress between them or not', () => {
    let run = first;
    for (let crash = 1; crash <= 3; crash++) {
      expect(run.status).toBe('queued');
      run = stop(run, crash * 10);
      run = retryOrFail(heard(claimed(run), { status: 'processing' })!, 0);
    }
    expect(run).toMatchObject({ status: 'failed', error: { code: 'worker_crashed' } });
  });
});

describe('a checkpoint', () => {
  const half = stop(first, 500);

  test('is in the job of every attempt that follows, also after a crash, and not in the first', () => {
    const { sha256, bytes, object } = checkpointOf(claimed(first), 500);
    expect(jobOf(first, urls, null)).not.toHaveProperty('checkpoint');
    expect(jobOf(half, urls, null).checkpoint).toEqual({ object, sha256, bytes });
    const crashed = retryOrFail(heard(claimed(half), { status: 'processing' })!, 0);
    expect(jobOf(crashed, urls, null).checkpoint).toEqual({ object, sha256, bytes });
    expect(crashed.progress).toEqual({ completed: 500, total });
  });

  test('gives way to the next one, also of a worker that had to begin again', () => {
    const later = stop(half, 200);
    expect([later.checkpoint?.completed, later.mostDone, later.idleHandBacks]).toEqual([200, 500, 1]);
    expect(checkpointPrefix(later)).not.toEqual(checkpointPrefix(half));
    expect(stop(half, null).checkpoint).toEqual(half.checkpoint);
  });

  test('is of the worker that reports it: one at another place is refused', () => {
    const mine = claimed(half);
    for (const object of [
      half.checkpoint!.object,
      't/ten_b/x/1/checkpoint',
      `${outputPrefix(mine)}overlay.png`,
    ])
      expect(
        heard(mine, { status: 'handed_back', checkpoint: { ...checkpointOf(mine, 900), object } }),
      ).toBeNull();
  });

  test('is of one run: the next run of the same question begins at the beginning', () => {
    const next = beginRun({ ...half, status: 'failed' }, submission, 0);
    expect([next.checkpoint, next.progress, next.mostDone]).toEqual([null, null, 0]);
  });
});
