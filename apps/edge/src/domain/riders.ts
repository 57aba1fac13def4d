import { canonicalJson, type JobError, type Look } from '@whylight/contract';
import { getOwn } from '@whylight/core/methods';
import { type Boarding, deliveryTime, type Exit, isTerminal, type Pass, type Run } from './run.ts';

const tooLate: JobError = {
  code: 'deadline_exceeded',
  message: 'It was not done within the time of Cancel-After.',
  retryable: true,
};

/** The run with one more explanation to answer; the first one owns the result. */
export const join = (run: Run, { id, until, look, keepUntil, webhook }: Pass, via: Boarding['via']): Run => ({
  ...run,
  riders: {
    ...run.riders,
    [id]: { via, until, look: isOwnLook(run, look) ? null : look, webhook, told: false, exit: null },
  },
  owner: run.owner ?? id,
  keepUntil: Math.max(run.keepUntil, keepUntil),
});

/** Whether the run's own pictures are drawn so. */
export const isOwnLook = (run: Run, look: Look): boolean =>
  canonicalJson(look) === canonicalJson(run.submission.look);

/** Those who still wait for pictures in a look of their own. */
export const wishesOf = (run: Run): [id: string, look: Look][] =>
  aboard(run).flatMap((id) => {
    const { look } = getOwn(run.riders, id)!;
    return look ? [[id, look]] : [];
  });

/** Explanations that have ended without their webhook having been told. */
export const untold = (run: Run): string[] =>
  Object.entries(run.riders).flatMap(([id, { webhook, told, exit }]) =>
    webhook !== null && !told && (exit !== null || isTerminal(run)) ? [id] : [],
  );

export const told = (run: Run, ids: readonly string[]): Run => ({
  ...run,
  riders: Object.fromEntries(
    Object.entries(run.riders).map(([id, rider]) => [
      id,
      ids.includes(id) ? { ...rider, told: true } : rider,
    ]),
  ),
});

/** Ends the part of those whose pictures could not be drawn; the result itself stands. */
export function undrawn(run: Run, errors: ReadonlyMap<string, JobError>, now: number): Run {
  const riders = Object.entries(run.riders).map(([id, rider]) => {
    const error = rider.exit ? undefined : errors.get(id);
    return [id, error ? { ...rider, exit: { status: 'failed', at: now, error } as const } : rider] as const;
  });
  return { ...run, riders: Object.fromEntries(riders) };
}

/** The run as one explanation sees it, which may have ended before the run did. */
export function seenBy(run: Run, id: string): Run {
  const exit = getOwn(run.riders, id)?.exit;
  if (!exit) return run;
  const { status, error, at: completedAt } = exit;
  return { ...run, status, error, completedAt, progress: null, result: null, artifacts: [] };
}

/** Nothing that has ended changes: of completion and cancelling the first counts. */
export function cancel(run: Run, id: string, now: number): Run {
  return leave(run, id, { status: 'canceled', at: now, error: null });
}

/** Gives up those whose time is over: `aborted` when nothing was begun for them, else `canceled`. */
export function expire(run: Run, now: number): Run {
  const status = run.status === 'queued' ? 'aborted' : 'canceled';
  const late = Object.entries(run.riders).flatMap(([id, { until }]) =>
    (until ?? Infinity) <= now ? [id] : [],
  );
  return late.reduce((rest, id) => leave(rest, id, { status, at: now, error: tooLate }), run);
}

/** When the watchdog must look next: at the worker's silence, at somebody's deadline, or at a bill not yet heard. */
export function nextLook(run: Run, now: number): number {
  const unsaid = untold(run).length > 0 ? now + deliveryTime : Infinity;
  if (isTerminal(run)) return run.metered ? unsaid : now + deliveryTime;
  const deadlines = aboard(run).map((id) => getOwn(run.riders, id)!.until ?? Infinity);
  return Math.min(run.deadline, unsaid, ...deadlines);
}

/** Ends `id`'s part; the others are unaffected, and the run ends with the last. */
function leave(run: Run, id: string, exit: Exit): Run {
  const rider = getOwn(run.riders, id);
  if (!rider || rider.exit || isTerminal(run)) return run;
  const left: Run = { ...run, riders: { ...run.riders, [id]: { ...rider, exit } } };
  const [heir] = aboard(left);
  if (heir !== undefined) return { ...left, owner: run.owner === id ? heir : run.owner };
  return { ...left, status: exit.status, completedAt: exit.at, error: exit.error };
}

const aboard = ({ riders }: Run): string[] =>
  Object.entries(riders).flatMap(([id, { exit }]) => (exit ? [] : [id]));
