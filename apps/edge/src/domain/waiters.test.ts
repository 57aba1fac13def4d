import { type JobError, ownStyle, type Result, type Style, visualizationSchema } from '@whylight/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isTerminal, type Run, type Submission } from './run.ts';
import { beginRun, failRun } from './transitions.ts';
import {
  addWaiter,
  cancelWaiter,
  endRendering,
  expireWaiters,
  isOpen,
  isWaitingFor,
  markNotified,
  nextDeadline,
  pendingStyles,
  unnotifiedWaiters,
  viewRun,
} from './waiters.ts';

const submission = { key: 'a'.repeat(64), tenant: 'ten_a', style: ownStyle() } as unknown as Submission;
const styles: readonly Style[] = [
  ownStyle(),
  ownStyle('zh'),
  { ...ownStyle(), visualization: visualizationSchema.parse({ color_map: 'viridis' }) },
];
const ids = ['exp_a', 'exp_b', 'exp_c', 'exp_d'] as const;
const error: JobError = { code: 'internal', message: 'It failed.', retryable: true };

const succeed = (run: Run, now: number): Run =>
  isTerminal(run) ? run : { ...run, status: 'succeeded', completedAt: now, result: {} as Result };

/** One thing that happens to a run and its waiters. */
const events = fc.record({
  what: fc.constantFrom(
    ...([
      'join',
      'join',
      'cancel',
      'succeed',
      'fail',
      'render',
      'refuse',
      'expire',
      'erase',
      'notify',
    ] as const),
  ),
  who: fc.constantFrom(...ids),
  style: fc.constantFrom(...styles),
  until: fc.option(fc.integer({ min: 1, max: 40 })),
});
type Event = typeof events extends fc.Arbitrary<infer E> ? E : never;

function happens(run: Run, { what, who, style, until }: Event, now: number): Run {
  switch (what) {
    case 'join': {
      const mayJoin =
        !(who in run.waiters) && (!isTerminal(run) || run.status === 'succeeded') && !run.erased;
      const request = { id: who, until, style, keepUntil: 0, webhook: 'whk_a' };
      return mayJoin ? addWaiter(run, request, isTerminal(run) ? 'hit' : 'collapsed') : run;
    }
    case 'cancel':
      return cancelWaiter(run, who, now);
    case 'succeed':
      return succeed(run, now);
    case 'fail':
      return isTerminal(run) ? run : failRun(run, error, now);
    case 'render':
    case 'refuse':
      return endRendering(run, style, what === 'refuse' ? error : null, now);
    case 'expire':
      return expireWaiters(run, now);
    case 'erase':
      return run.status === 'succeeded' ? { ...run, erased: true, result: null } : run;
    case 'notify':
      return markNotified(run, unnotifiedWaiters(run));
  }
}

/** The run after each of the events, the first one with a waiter. */
function history(happened: readonly Event[]): Run[] {
  const request = { id: ids[0], until: null, style: ownStyle(), keepUntil: 0, webhook: 'whk_a' };
  const runs = [addWaiter(beginRun(null, submission, 0), request, 'miss')];
  for (const [i, event] of happened.entries()) runs.push(happens(runs.at(-1)!, event, i + 1));
  return runs;
}

const holds = (check: (runs: readonly Run[], happened: readonly Event[]) => void): void =>
  fc.assert(
    fc.property(fc.array(events, { maxLength: 40, size: 'max' }), (happened) =>
      check(history(happened), happened),
    ),
    { numRuns: 500 },
  );

describe('whatever happens, in whatever order', () => {
  test('what has ended for a waiter stays as it is: its status, its error, and when it ended', () =>
    holds((runs) => {
      for (const [i, run] of runs.slice(1).entries())
        for (const id of Object.keys(runs[i]!.waiters)) {
          const [before, after] = [viewRun(runs[i]!, id), viewRun(run, id)];
          if (!isTerminal(before)) continue;
          const end = ({ status, error: why, completedAt }: Run) => [status, why, completedAt];
          expect([id, ...end(after)]).toEqual([id, ...end(before)]);
        }
    }));

  test('a waiter that succeeds has a result, and the pictures that it asked for; no other has either', () =>
    holds((runs, happened) => {
      const run = runs.at(-1)!;
      for (const [id, { style }] of Object.entries(run.waiters)) {
        const view = viewRun(run, id);
        if (view.status !== 'succeeded') expect([id, view.result, view.artifacts]).toEqual([id, null, []]);
        else if (!run.erased) {
          expect(view.result).not.toBeNull();
          const isRendered = happened.some((event) => event.what === 'render' && event.style === style);
          expect(style === null || isRendered).toBe(true);
        }
      }
    }));

  test('a run goes on while somebody waits for it, and is asked for pictures while somebody waits for those', () =>
    holds((runs) => {
      for (const run of runs) {
        const waiting = Object.keys(run.waiters).filter((id) => isWaitingFor(run, id));
        if (!isTerminal(run)) expect(waiting).not.toEqual([]);
        else expect(pendingStyles(run).length > 0).toBe(waiting.length > 0);
        for (const id of Object.keys(run.waiters))
          expect([id, isTerminal(viewRun(run, id))]).toEqual([id, !waiting.includes(id)]);
        expect(run.status === 'succeeded' || pendingStyles(run).length === 0).toBe(true);
      }
    }));

  test('a run under way belongs to one who waits', () =>
    holds((runs) => {
      for (const run of runs) if (!isTerminal(run)) expect(isWaitingFor(run, run.owner!)).toBe(true);
    }));

  test('everyone who ends is notified once, and nobody before', () =>
    holds((runs, happened) => {
      const notified: string[] = [];
      for (const [i, event] of happened.entries()) {
        const due = unnotifiedWaiters(runs[i]!);
        for (const id of due) expect([id, isTerminal(viewRun(runs[i]!, id))]).toEqual([id, true]);
        if (event.what === 'notify') notified.push(...due);
      }
      expect(new Set(notified).size).toBe(notified.length);
      const run = runs.at(-1)!;
      const ended = ids.filter((id) => id in run.waiters && isTerminal(viewRun(run, id)));
      expect(new Set([...notified, ...unnotifiedWaiters(run)])).toEqual(new Set(ended));
    }));

  test('nobody waits beyond its time once the alarm has come, and the alarm is due no later', () =>
    holds((runs) => {
      for (const run of runs) {
        const due = nextDeadline(run);
        const next = due === Infinity ? run : expireWaiters(run, due);
        if (due !== Infinity) expect(next).not.toBe(run);
        expect(nextDeadline(next)).toBeGreaterThan(Math.min(due, 1e9));
        expect(expireWaiters(run, due === Infinity ? 1e9 : due - 1)).toBe(run);
      }
    }));

  test('a run for which nothing is left to do stays one, until somebody joins it', () =>
    holds((runs, happened) => {
      for (const [i, run] of runs.slice(1).entries()) {
        const before = { ...runs[i]!, metered: true };
        if (!isOpen(before) && happened[i]!.what !== 'join')
          expect(isOpen({ ...run, metered: true })).toBe(false);
      }
    }));
});

test('cancelling who waits for pictures ends no one else’s wait, and not the result', () => {
  const request = (id: string, style: Style) => ({ id, until: null, style, keepUntil: 0, webhook: null });
  const begun = addWaiter(beginRun(null, submission, 0), request('exp_a', styles[0]!), 'miss');
  const both = addWaiter(
    addWaiter(begun, request('exp_b', styles[1]!), 'collapsed'),
    request('exp_c', styles[1]!),
    'collapsed',
  );
  const next = cancelWaiter(succeed(both, 1), 'exp_b', 2);
  expect(['exp_a', 'exp_b', 'exp_c'].map((id) => viewRun(next, id).status)).toEqual([
    'succeeded',
    'canceled',
    'processing',
  ]);
  expect([next.status, next.owner, pendingStyles(next)]).toEqual(['succeeded', 'exp_a', [styles[1]]]);
});
