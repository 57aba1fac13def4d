import {
  artifactNames,
  artifactPrefix,
  type Claim,
  checkpointUnder,
  ownStyle,
  type Report,
  type Result,
} from '@whylight/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { claimOf, isTerminal, outputPrefix, type Run, type Submission, stalePrefixes } from './run.ts';
import { applyReport, beginRun, claimAttempt, isRepeated, renewLease, retryOrFail } from './transitions.ts';
import { addWaiter, cancelWaiter } from './waiters.ts';

const submission = {
  ...{ key: 'a'.repeat(64), tenant: 'ten_a', units: 1, style: ownStyle() },
  question: { method: 'grad-cam' },
} as unknown as Submission;
const result = {} as Result;
const nonces = ['0', '1', '2'].map((digit) => digit.repeat(32));
const request = { id: 'exp_a', until: null, style: ownStyle(), keepUntil: 0, webhook: null };

/** A worker that was given an attempt, whoever else was given it too. */
interface Worker {
  readonly nonce: string;
  readonly attempt: number;
  readonly lease: string;
}

const claimBy = ({ nonce, attempt, lease }: Worker): Claim => ({ nonce, attempt, lease, worker: 'w' });

/** What the worker says; of its own artifacts, or of those that some other worker may have written. */
function reportBy(
  { nonce, attempt, lease }: Worker,
  status: Report['status'],
  run: Run,
  theirs = nonce,
): Report {
  const about = { nonce, attempt, lease };
  if (status === 'progress') return { ...about, status, completed: 1, total: 2 };
  if (status === 'failed') {
    const error = { code: 'worker_crashed', message: 'It stops.', retryable: true } as const;
    return { ...about, status, error };
  }
  const { tenant, key } = run.submission;
  const prefix = artifactPrefix(`t/${tenant}/x/${key}/${attempt}/`, theirs);
  if (status === 'handed_back') {
    const object = checkpointUnder(prefix);
    const checkpoint = { object, sha256: '0'.repeat(64), bytes: 1, completed: attempt, total: 100 };
    return { ...about, status, checkpoint: attempt % 2 ? checkpoint : null };
  }
  if (status !== 'succeeded') return { ...about, status };
  const artifact = { sha256: '0'.repeat(64), bytes: 1, content_type: 'image/png' };
  const artifacts = artifactNames.map((name) => ({ name, object: prefix + name, ...artifact }));
  return { ...about, status, result, artifacts };
}

/** One thing that happens: any of three workers, at the present attempt or an earlier one, or nobody at all. */
const events = fc.record({
  what: fc.constantFrom(
    'claim',
    'claim',
    'taken',
    'processing',
    'alive',
    'progress',
    'succeeded',
    'failed',
    'handed_back',
    'lease',
    'cancel',
  ),
  who: fc.nat(2),
  back: fc.nat(2),
  theirs: fc.nat(2),
});

type Event = typeof events extends fc.Arbitrary<infer E> ? E : never;

/** Everything that was accepted, beside the run that came of it. */
interface History {
  run: Run;
  now: number;
  readonly leases: string[];
  readonly claimed: Worker[];
}

function happens(history: History, { what, who, back, theirs }: Event): void {
  const { run, leases, claimed } = history;
  const attempt = Math.max(1, run.attempt - back);
  const worker = { nonce: nonces[who]!, attempt, lease: leases[attempt - 1]! };
  history.now += 1_000;
  const keep = (next: Run) => {
    history.run = next;
    if (next.attempt > leases.length) leases.push(next.lease);
  };
  if (what === 'taken') {
    if (!isTerminal(run)) keep(renewLease(run, history.now));
  } else if (what === 'lease') {
    history.now = Math.max(history.now, run.deadline);
    if (!isTerminal(run)) keep(retryOrFail(run, history.now));
  } else if (what === 'cancel') keep(cancelWaiter(run, request.id, history.now));
  else if (what === 'claim') {
    const next = claimAttempt(run, claimBy(worker), history.now);
    const holder = claimed.find((each) => each.attempt === run.attempt);
    if (isTerminal(run) || attempt !== run.attempt) expect(next).toBe('attempt_over');
    else if (holder) expect(next).toBe(holder.nonce === worker.nonce ? run : 'attempt_claimed');
    else expect(next).not.toBeTypeOf('string');
    if (typeof next === 'string' || next === run) return;
    claimed.push(worker);
    keep(next);
  } else {
    const report = reportBy(worker, what, run, nonces[theirs]);
    const next = applyReport(run, report, history.now);
    if (!next) return;
    // Whatever is accepted comes from who has claimed this very attempt.
    expect(claimed).toContainEqual(worker);
    expect(worker.attempt).toBe(run.attempt);
    keep(next);
  }
}

const begun = (): History => {
  const run = addWaiter(beginRun(null, submission, 0), request, 'miss');
  return { run, now: 0, leases: [run.lease], claimed: [] };
};

describe('L3: whatever happens, in whatever order', () => {
  test('an attempt belongs to one worker, only it is heard, and after the end nobody', () => {
    fc.assert(
      fc.property(fc.array(events, { maxLength: 60 }), (happened) => {
        const history = begun();
        for (const event of happened) {
          const before = history.run;
          happens(history, event);
          const attempts = history.run.claims.map(({ attempt }) => attempt);
          expect(new Set(attempts).size).toBe(attempts.length);
          expect(history.run.claims.slice(0, before.claims.length)).toEqual(before.claims);
          if (isTerminal(before)) expect(history.run).toBe(before);
        }
        expect(history.run.claims.map(({ attempt, nonce }) => `${attempt} ${nonce}`)).toEqual(
          history.claimed.map(({ attempt, nonce }) => `${attempt} ${nonce}`),
        );
      }),
      { numRuns: 500 },
    );
  });

  test('a result is what its own worker wrote, and everything that others may have written is deleted', () => {
    fc.assert(
      fc.property(fc.array(events, { maxLength: 60 }), (happened) => {
        const history = begun();
        for (const event of happened) happens(history, event);
        const { run, claimed } = history;
        const kept = run.status === 'succeeded' ? outputPrefix(run) : null;
        for (const { object } of run.artifacts) expect(object.startsWith(kept!)).toBe(true);
        const written = claimed.map(({ attempt }) => outputPrefix(run, attempt));
        expect(new Set(written).size).toBe(written.length);
        // A checkpoint that was accepted lies where the worker of that attempt alone writes.
        if (run.checkpoint) expect(written.map(checkpointUnder)).toContain(run.checkpoint.object);
        const stale = stalePrefixes(run);
        for (const prefix of written)
          expect([prefix, stale.includes(prefix)]).toEqual([prefix, prefix !== kept]);
      }),
      { numRuns: 500 },
    );
  });

  test('a claim that is made again changes nothing, not even the lease', () => {
    fc.assert(
      fc.property(fc.array(events, { maxLength: 60 }), fc.nat(1e6), (happened, later) => {
        const history = begun();
        for (const event of happened) happens(history, event);
        const { run, now, claimed } = history;
        for (const worker of claimed) {
          const again = claimAttempt(run, claimBy(worker), now + later);
          const isCurrent = !isTerminal(run) && worker.attempt === run.attempt;
          expect(again).toBe(isCurrent ? run : 'attempt_over');
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('a claim', () => {
  const first = begun().run;
  const [w0, w1] = nonces.map((nonce) => ({ nonce, attempt: 1, lease: first.lease })) as [Worker, Worker];
  const mine = claimAttempt(first, claimBy(w0), 1_000) as Run;

  test('takes the attempt for as long as a lease', () => {
    expect(claimOf(mine)).toEqual({ attempt: 1, nonce: w0.nonce, worker: 'w' });
    expect([mine.status, mine.accepted, mine.deadline]).toEqual(['queued', true, 61_000]);
  });

  test('of another worker is refused by name, and so is one of another attempt or lease', () => {
    expect(claimAttempt(mine, claimBy(w1), 2_000)).toBe('attempt_claimed');
    expect(claimAttempt(first, claimBy({ ...w0, attempt: 2 }), 2_000)).toBe('attempt_over');
    expect(claimAttempt(first, claimBy({ ...w0, lease: 'another lease of it' }), 2_000)).toBe('attempt_over');
  });

  test('goes with the lease: the next attempt is anybody’s', () => {
    const next = retryOrFail(mine, mine.deadline);
    expect([next.attempt, claimOf(next)]).toEqual([2, null]);
    expect(claimAttempt(next, claimBy(w0), 70_000)).toBe('attempt_over');
    const theirs = claimAttempt(next, claimBy({ ...w1, attempt: 2, lease: next.lease }), 70_000) as Run;
    expect(outputPrefix(theirs, 1)).not.toBe(outputPrefix(theirs));
    expect(stalePrefixes(theirs)).toEqual([outputPrefix(theirs), outputPrefix(theirs, 1)]);
  });

  test('is what makes reports count: those of nobody and of others are refused', () => {
    expect(applyReport(first, reportBy(w0, 'processing', first), 2_000)).toBeNull();
    expect(applyReport(mine, reportBy(w1, 'succeeded', mine), 2_000)).toBeNull();
    expect(applyReport(mine, reportBy(w0, 'succeeded', mine, w1.nonce), 2_000)).toBeNull();
    const done = applyReport(mine, reportBy(w0, 'succeeded', mine), 2_000)!;
    expect(done.status).toBe('succeeded');
    expect(isRepeated(done, reportBy(w0, 'succeeded', mine))).toBe(true);
    expect(isRepeated(done, reportBy(w1, 'succeeded', mine, w0.nonce))).toBe(false);
  });

  test('was unknown to earlier releases: what they wrote is found, and deleted', () => {
    const old = { ...first, claims: [] };
    expect([outputPrefix(old), stalePrefixes(old)]).toEqual([
      `t/ten_a/x/${submission.key}/1/`,
      [`t/ten_a/x/${submission.key}/1/`],
    ]);
  });
});
