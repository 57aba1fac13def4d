import { canonicalJson, type JobError, type Style } from '@whylight/contract';
import { getOwn } from '@whylight/core/methods';
import {
  type Admission,
  deliveryTime,
  isTerminal,
  type Run,
  type Waiter,
  type WaiterOutcome,
  type WaitRequest,
} from './run.ts';

const tooLate: JobError = {
  code: 'deadline_exceeded',
  message: 'The explanation was not ready within the time that Cancel-After allows.',
  retryable: true,
};

/** Adds an explanation that waits for the run; the first one owns the result. */
export const addWaiter = (
  run: Run,
  { id, until, style, keepUntil, webhook }: WaitRequest,
  via: Admission['via'],
): Run => ({
  ...run,
  waiters: {
    ...run.waiters,
    [id]: {
      via,
      until,
      style: isOwnStyle(run, style) ? null : style,
      webhook,
      notified: false,
      outcome: null,
    },
  },
  owner: run.owner ?? id,
  keepUntil: Math.max(run.keepUntil, keepUntil),
});

/** Whether the worker draws the run's own pictures in this style. */
export const isOwnStyle = (run: Run, style: Style): boolean =>
  canonicalJson(style) === canonicalJson(run.submission.style);

/** The active waiters that want a style of their own, with that style. */
export const pendingStyles = (run: Run): [id: string, style: Style][] =>
  activeWaiters(run).flatMap(([id, { style }]) => (style ? [[id, style]] : []));

/** Waiters that have ended, and whose webhook has not been notified. */
export const unnotifiedWaiters = (run: Run): string[] =>
  Object.entries(run.waiters).flatMap(([id, { webhook, notified, outcome }]) =>
    webhook !== null && !notified && (outcome !== null || isTerminal(run)) ? [id] : [],
  );

export const markNotified = (run: Run, ids: readonly string[]): Run =>
  changeWaiters(run, (waiter, id) => (ids.includes(id) ? { ...waiter, notified: true } : waiter));

/** Ends the active waiters whose pictures a worker could not draw; the result itself stays. */
export const failUnrendered = (run: Run, errors: ReadonlyMap<string, JobError>, now: number): Run =>
  changeWaiters(run, (waiter, id) => {
    const error = waiter.outcome ? undefined : errors.get(id);
    return error ? { ...waiter, outcome: { status: 'failed', at: now, error } } : waiter;
  });

/** The run as waiter `id` sees it: with that waiter's outcome, if it ended before the run. */
export function viewRun(run: Run, id: string): Run {
  const outcome = getOwn(run.waiters, id)?.outcome;
  if (!outcome) return run;
  const { status, error, at: completedAt } = outcome;
  return { ...run, status, error, completedAt, progress: null, result: null, artifacts: [] };
}

/** Cancels one waiter. What has ended does not change: the first of completion and cancellation counts. */
export const cancelWaiter = (run: Run, id: string, now: number): Run =>
  endWaiter(run, id, { status: 'canceled', at: now, error: null });

/** Ends the waiters whose time is over: `aborted` if no worker had begun, else `canceled`. */
export function expireWaiters(run: Run, now: number): Run {
  const status = run.status === 'queued' ? 'aborted' : 'canceled';
  const late = Object.entries(run.waiters).flatMap(([id, { until }]) =>
    (until ?? Infinity) <= now ? [id] : [],
  );
  return late.reduce((rest, id) => endWaiter(rest, id, { status, at: now, error: tooLate }), run);
}

/** When the alarm must check the run next: a silent worker, a waiter's deadline, or a notification to repeat. */
export function nextCheckAt(run: Run, now: number): number {
  const notification = unnotifiedWaiters(run).length > 0 ? now + deliveryTime : Infinity;
  if (isTerminal(run)) return run.metered ? notification : now + deliveryTime;
  const deadlines = activeWaiters(run).map(([, { until }]) => until ?? Infinity);
  return Math.min(run.deadline, notification, ...deadlines);
}

/** Ends one waiter. The others are unaffected; the run ends with its last waiter. */
function endWaiter(run: Run, id: string, outcome: WaiterOutcome): Run {
  const waiter = getOwn(run.waiters, id);
  if (!waiter || waiter.outcome || isTerminal(run)) return run;
  const next: Run = { ...run, waiters: { ...run.waiters, [id]: { ...waiter, outcome } } };
  const [nextOwner] = activeWaiters(next);
  if (nextOwner) return { ...next, owner: run.owner === id ? nextOwner[0] : run.owner };
  return { ...next, status: outcome.status, completedAt: outcome.at, error: outcome.error };
}

const activeWaiters = ({ waiters }: Run): [id: string, Waiter][] =>
  Object.entries(waiters).filter(([, { outcome }]) => !outcome);

const changeWaiters = (run: Run, change: (waiter: Waiter, id: string) => Waiter): Run => ({
  ...run,
  waiters: Object.fromEntries(Object.entries(run.waiters).map(([id, waiter]) => [id, change(waiter, id)])),
});
