import { canonicalJson, type JobError, type Style } from '@whylight/contract';
import { getOwn } from '@whylight/core/methods';
import {
  type Admission,
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
      renderedAt: null,
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

/** True if a waiter still waits: for the end of its run, or for a rendering of the result in its style. */
const isWaiting = (run: Run, { style, renderedAt, outcome }: Waiter): boolean =>
  outcome === null &&
  (!isTerminal(run) || (run.status === 'succeeded' && !run.erased && style !== null && renderedAt === null));

const waiting = (run: Run): [id: string, waiter: Waiter][] =>
  Object.entries(run.waiters).filter(([, waiter]) => isWaiting(run, waiter));

export function isWaitingFor(run: Run, id: string): boolean {
  const waiter = getOwn(run.waiters, id);
  return waiter !== undefined && isWaiting(run, waiter);
}

/** The styles in which explanations wait for a rendering of a finished run, each once. */
export function pendingStyles(run: Run): Style[] {
  const styles = isTerminal(run) ? waiting(run).map(([, { style }]) => style!) : [];
  return [...new Map(styles.map((style) => [canonicalJson(style), style])).values()];
}

/** Whether explanations wait for a rendering of a finished run in `style`. */
export const isPending = (run: Run, style: Style): boolean =>
  pendingStyles(run).some((each) => canonicalJson(each) === canonicalJson(style));

/** Ends the wait for a rendering in `style`: it is done, or it failed with `error`. The result is unaffected. */
export function endRendering(run: Run, style: Style, error: JobError | null, now: number): Run {
  if (!isTerminal(run)) return run;
  const ended = canonicalJson(style);
  return changeWaiters(run, (waiter) => {
    if (!isWaiting(run, waiter) || canonicalJson(waiter.style) !== ended) return waiter;
    return error
      ? { ...waiter, outcome: { status: 'failed', at: now, error } }
      : { ...waiter, renderedAt: now };
  });
}

/** Waiters that have ended, and whose webhook has not been notified. */
export const unnotifiedWaiters = (run: Run): string[] =>
  Object.entries(run.waiters).flatMap(([id, waiter]) =>
    waiter.webhook !== null && !waiter.notified && !isWaiting(run, waiter) ? [id] : [],
  );

export const markNotified = (run: Run, ids: readonly string[]): Run =>
  changeWaiters(run, (waiter, id) => (ids.includes(id) ? { ...waiter, notified: true } : waiter));

/** The run as waiter `id` sees it: with that waiter's outcome, and under way until the pictures in its style are there. */
export function viewRun(run: Run, id: string): Run {
  const waiter = getOwn(run.waiters, id);
  if (!waiter) return run;
  const unseen = { result: null, artifacts: [] };
  if (waiter.outcome) {
    const { status, error, at: completedAt } = waiter.outcome;
    return { ...run, ...unseen, status, error, completedAt, progress: null };
  }
  if (!isTerminal(run)) return run;
  if (isWaiting(run, waiter)) return { ...run, ...unseen, status: 'processing', completedAt: null };
  return waiter.renderedAt === null ? run : { ...run, completedAt: waiter.renderedAt };
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

/** When the time of the next waiter is over. */
export const nextDeadline = (run: Run): number =>
  Math.min(Infinity, ...waiting(run).map(([, { until }]) => until ?? Infinity));

/** Whether the end of the run, or of one of its waiters, has still to be reported. */
export const isUnreported = (run: Run): boolean =>
  (isTerminal(run) && !run.metered) || unnotifiedWaiters(run).length > 0;

/** Whether something is left to do for the run. */
export const isOpen = (run: Run): boolean => !isTerminal(run) || isUnreported(run) || waiting(run).length > 0;

/** Ends one waiter. The others are unaffected; a run that goes on ends with its last waiter. */
function endWaiter(run: Run, id: string, outcome: WaiterOutcome): Run {
  if (!isWaitingFor(run, id)) return run;
  const next: Run = { ...run, waiters: { ...run.waiters, [id]: { ...getOwn(run.waiters, id)!, outcome } } };
  if (isTerminal(run)) return next;
  const [nextOwner] = waiting(next);
  if (nextOwner) return { ...next, owner: run.owner === id ? nextOwner[0] : run.owner };
  return { ...next, status: outcome.status, completedAt: outcome.at, error: outcome.error };
}

function changeWaiters(run: Run, change: (waiter: Waiter, id: string) => Waiter): Run {
  const waiters = Object.entries(run.waiters).map(
    ([id, waiter]) => [id, waiter, change(waiter, id)] as const,
  );
  if (waiters.every(([, before, after]) => before === after)) return run;
  return { ...run, waiters: Object.fromEntries(waiters.map(([id, , after]) => [id, after])) };
}
