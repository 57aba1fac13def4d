import {
  type Artifact,
  artifactNames,
  type Claim,
  type ClaimRefusal,
  type JobError,
  predictionMethod,
  type Report,
} from '@whylight/contract';
import {
  claimOf,
  deliveryTime,
  isTerminal,
  leaseTime,
  longestRun,
  mostTries,
  outputPrefix,
  type Run,
  type Submission,
} from './run.ts';

export function begin(previous: Run | null, submission: Submission, now: number): Run {
  const run: Run = {
    number: (previous?.number ?? 0) + 1,
    submission,
    version: 0,
    status: 'queued',
    riders: {},
    owner: null,
    attempt: previous?.attempt ?? 0,
    tries: 0,
    crashes: 0,
    losses: 0,
    lease: '',
    taken: false,
    claims: [],
    createdAt: now,
    startedAt: null,
    completedAt: null,
    deadline: 0,
    progress: null,
    result: null,
    artifacts: [],
    error: null,
    keepUntil: 0,
    erased: false,
    metered: false,
  };
  return nextAttempt(run, now);
}

/** The same run under a new fence: reports of the attempt before are refused from here on. */
const nextAttempt = (run: Run, now: number): Run => ({
  ...run,
  status: 'queued',
  attempt: run.attempt + 1,
  tries: run.tries + 1,
  lease: crypto.randomUUID(),
  taken: false,
  progress: null,
  deadline: now + deliveryTime,
});

/** What the watchdog makes of a run whose deadline has passed. */
export function overdue(run: Run, now: number): Run {
  if (now >= run.createdAt + longestRun)
    return fail(
      run,
      { code: 'deadline_exceeded', message: 'The computation took too long.', retryable: true },
      now,
    );
  // A job that no worker had begun with is not what the worker died of.
  const begun = run.status === 'processing';
  const [crashes, losses] = [run.crashes + Number(begun), run.losses + Number(!begun)];
  if (crashes < mostTries && losses < mostTries) return nextAttempt({ ...run, crashes, losses }, now);
  const error: JobError = run.taken
    ? { code: 'worker_crashed', message: `The worker went silent ${mostTries} times.`, retryable: true }
    : { code: 'worker_unreachable', message: 'No worker took the job.', retryable: true };
  return fail(run, error, now);
}

export const delivered = (run: Run, now: number): Run => ({ ...run, deadline: now + deliveryTime });

export const taken = (run: Run, now: number): Run => ({ ...run, taken: true, deadline: now + leaseTime });

/**
 * The run once `asked` has been claimed, the same run when just this claim was made before (its answer was lost), or why
 * it cannot be made. A repeated claim does not prolong the lease: a captured call that is sent again changes nothing.
 */
export function claim(run: Run, asked: Claim, now: number): Run | ClaimRefusal {
  const { attempt, lease, nonce, worker } = asked;
  if (isTerminal(run) || attempt !== run.attempt || lease !== run.lease) return 'attempt_over';
  const held = claimOf(run);
  if (held) return held.nonce === nonce ? run : 'attempt_claimed';
  return { ...taken(run, now), claims: [...run.claims, { attempt, nonce, worker }] };
}

export const fail = (run: Run, error: JobError, now: number): Run => ({
  ...run,
  status: 'failed',
  completedAt: now,
  error,
});

/**
 * The run after `report`, or null when the report is refused: of an attempt that is over, under another
 * lease, of a worker that has not claimed the attempt, or after the end.
 */
export function apply(run: Run, report: Report, now: number): Run | null {
  if (!isOfHolder(run, report) || isTerminal(run)) return null;
  switch (report.status) {
    case 'alive':
      return taken(run, now);
    case 'processing':
      return { ...taken(run, now), status: 'processing', startedAt: run.startedAt ?? now };
    case 'progress':
      return {
        ...taken(run, now),
        status: 'processing',
        startedAt: run.startedAt ?? now,
        progress: { completed: report.completed, total: report.total },
      };
    case 'succeeded':
      if (!isComplete(run, report.artifacts)) return null;
      return {
        ...run,
        status: 'succeeded',
        startedAt: run.startedAt ?? now,
        completedAt: now,
        progress: run.progress && { ...run.progress, completed: run.progress.total },
        result: report.result,
        artifacts: report.artifacts,
      };
    case 'failed':
      return afterFault(run, report.error, now);
  }
}

/** Another attempt, where it may fare better and there is one left. */
function afterFault(run: Run, error: JobError, now: number): Run {
  const next = passing.has(error.code) ? overdue(run, now) : null;
  return next && !isTerminal(next) ? next : fail(run, error, now);
}

/** Faults that another attempt may not meet: a worker that hands its job back as it stops, a store that was away. */
const passing: ReadonlySet<JobError['code']> = new Set(['worker_crashed', 'storage_unavailable']);

/** Whether the run already ended with just this report: its answer was lost, and it may be repeated. */
export const isRepeated = (run: Run, report: Report): boolean =>
  isOfHolder(run, report) && report.status === run.status && isTerminal(run);

/** Whether it comes from the worker that has claimed the present attempt. */
const isOfHolder = (run: Run, { attempt, lease, nonce }: Report): boolean =>
  attempt === run.attempt && lease === run.lease && nonce === claimOf(run)?.nonce;

function isComplete(run: Run, artifacts: readonly Artifact[]): boolean {
  const names = run.submission.question.method === predictionMethod ? [] : artifactNames;
  return (
    artifacts.length === names.length &&
    names.every((name) =>
      artifacts.some((artifact) => artifact.name === name && artifact.object === outputPrefix(run) + name),
    )
  );
}
