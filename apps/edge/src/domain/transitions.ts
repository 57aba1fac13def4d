import {
  type Artifact,
  artifactNames,
  type Checkpoint,
  type Claim,
  type ClaimRefusal,
  checkpointUnder,
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

export function beginRun(previous: Run | null, submission: Submission, now: number): Run {
  const run: Run = {
    number: (previous?.number ?? 0) + 1,
    submission,
    version: 0,
    status: 'queued',
    waiters: {},
    owner: null,
    attempt: previous?.attempt ?? 0,
    tries: 0,
    crashes: 0,
    losses: 0,
    idleHandBacks: 0,
    mostDone: 0,
    checkpoint: null,
    lease: '',
    accepted: false,
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
  return startNextAttempt(run, now);
}

/** Starts the next attempt under a new lease: from here on, reports of the attempt before are refused. */
const startNextAttempt = (run: Run, now: number): Run => ({
  ...run,
  status: 'queued',
  attempt: run.attempt + 1,
  tries: run.tries + 1,
  lease: crypto.randomUUID(),
  accepted: false,
  progress: run.checkpoint && { completed: run.checkpoint.completed, total: run.checkpoint.total },
  deadline: now + deliveryTime,
});

/** Starts another attempt of a run whose deadline has passed, or fails the run after too many. */
export function retryOrFail(run: Run, now: number): Run {
  // The time in the queue does not count: see `longestQueueTime`.
  if (run.startedAt !== null && now >= run.startedAt + longestRun)
    return failRun(
      run,
      { code: 'deadline_exceeded', message: 'The computation took too long.', retryable: true },
      now,
    );
  // A worker that had not begun the job did not die of it.
  const begun = run.status === 'processing';
  const next: Run = { ...run, crashes: run.crashes + Number(begun), losses: run.losses + Number(!begun) };
  if (countFaults(next) < mostTries && next.losses < mostTries) return startNextAttempt(next, now);
  const error: JobError = run.accepted
    ? { code: 'worker_crashed', message: `The worker stopped reporting ${mostTries} times.`, retryable: true }
    : { code: 'worker_unreachable', message: 'No worker accepted the job.', retryable: true };
  return failRun(run, error, now);
}

/** Hand-backs without progress that count as nothing: workers stop for many reasons, and seldom because of a job. */
const freeHandBacks = 2;

/** Counts the crashes of a run, and from the third on its hand-backs without progress. */
const countFaults = ({ crashes, idleHandBacks }: Run): number =>
  crashes + Math.max(0, idleHandBacks - freeHandBacks);

/**
 * Starts the next attempt of a run whose worker has stopped in order. With progress that is done however often it happens:
 * each time fewer samples are left. A job that its worker had not begun does not count either.
 */
function continueElsewhere(run: Run, checkpoint: Checkpoint | null, now: number): Run {
  const kept: Run = { ...run, checkpoint: checkpoint ?? run.checkpoint };
  if (checkpoint && checkpoint.completed > run.mostDone)
    return startNextAttempt({ ...kept, mostDone: checkpoint.completed, idleHandBacks: 0 }, now);
  if (run.status === 'queued') return startNextAttempt(kept, now);
  const next: Run = { ...kept, idleHandBacks: run.idleHandBacks + 1 };
  if (countFaults(next) < mostTries) return startNextAttempt(next, now);
  const message = `The worker stopped ${next.idleHandBacks} times before the job got any further.`;
  return failRun(next, { code: 'worker_crashed', message, retryable: true }, now);
}

/** Gives the worker, to which the job goes now, time to accept it. */
export const markDelivered = (run: Run, now: number): Run => ({ ...run, deadline: now + deliveryTime });

/** Notes that a worker has accepted the present attempt, and renews its lease. */
export const renewLease = (run: Run, now: number): Run => ({
  ...run,
  accepted: true,
  deadline: now + leaseTime,
});

/**
 * The run after the claim `asked`; the same run if the worker repeats its own claim (the answer was lost); or why the
 * claim is refused. A repeated claim does not prolong the lease: replaying a captured call changes nothing.
 */
export function claimAttempt(run: Run, asked: Claim, now: number): Run | ClaimRefusal {
  const { attempt, lease, nonce, worker } = asked;
  if (isTerminal(run) || attempt !== run.attempt || lease !== run.lease) return 'attempt_over';
  const held = claimOf(run);
  if (held) return held.nonce === nonce ? run : 'attempt_claimed';
  return { ...renewLease(run, now), claims: [...run.claims, { attempt, nonce, worker }] };
}

export const failRun = (run: Run, error: NonNullable<Run['error']>, now: number): Run => ({
  ...run,
  status: 'failed',
  completedAt: now,
  error,
});

/**
 * The run after `report`, or null if the report is refused: its attempt is over, its lease is another, its worker has not
 * claimed the attempt, or the run has ended.
 */
export function applyReport(run: Run, report: Report, now: number): Run | null {
  if (!isFromHolder(run, report) || isTerminal(run)) return null;
  switch (report.status) {
    case 'alive':
      return renewLease(run, now);
    case 'processing':
      return { ...renewLease(run, now), status: 'processing', startedAt: run.startedAt ?? now };
    case 'progress':
      return {
        ...renewLease(run, now),
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
    case 'handed_back':
      if (report.checkpoint && report.checkpoint.object !== checkpointUnder(outputPrefix(run))) return null;
      return continueElsewhere(run, report.checkpoint, now);
    case 'failed':
      return retryAfterFault(run, report.error, now);
  }
}

/** Starts another attempt if that may succeed and one is left; else fails the run. */
function retryAfterFault(run: Run, error: JobError, now: number): Run {
  const next = transientFaults.has(error.code) ? retryOrFail(run, now) : null;
  return next && !isTerminal(next) ? next : failRun(run, error, now);
}

/** Faults that another attempt may avoid: a model's process that crashed, a store that did not answer. */
const transientFaults: ReadonlySet<JobError['code']> = new Set(['worker_crashed', 'storage_unavailable']);

/** Whether this report already ended the run: the worker repeats it because the answer was lost. */
export const isRepeated = (run: Run, report: Report): boolean =>
  isFromHolder(run, report) && report.status === run.status && isTerminal(run);

/** Whether the report comes from the worker that has claimed the present attempt. */
const isFromHolder = (run: Run, { attempt, lease, nonce }: Report): boolean =>
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
