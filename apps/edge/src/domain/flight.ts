import type { Artifact, Job, JobError, Question, Report, Result } from '@whylight/contract';
import { artifactNames } from '@whylight/contract';

/** Milliseconds within which a sent message must reach a worker. */
export const deliveryTime = 60_000;
/** Milliseconds within which a worker that took the job must say something. */
export const leaseTime = 120_000;
/** Milliseconds after which a computation is given up, whatever its state. */
export const longestFlight = 30 * 60_000;
export const mostTries = 3;

/** What is to be computed and for whom. */
export interface Submission {
  readonly key: string;
  readonly tenant: string;
  readonly question: Question;
  readonly input: Job['input'];
  readonly requestId: string;
}

/** One computation of a key. Failures are not kept: a later request starts the next run. */
export interface Run {
  readonly number: number;
  readonly submission: Submission;
  readonly status: 'queued' | 'processing' | 'succeeded' | 'failed';
  /** Counts over all runs of the key, so that no two ever share a fence or an object prefix. */
  readonly attempt: number;
  readonly tries: number;
  readonly lease: string;
  /** Whether a worker has answered 202 for this attempt. */
  readonly taken: boolean;
  /** Unix milliseconds, as are the times below. */
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly completedAt: number | null;
  /** When the watchdog must look. */
  readonly deadline: number;
  readonly progress: { readonly completed: number; readonly total: number } | null;
  readonly result: Result | null;
  readonly artifacts: readonly Artifact[];
  readonly error: JobError | null;
}

/** A run and how a request came to it. */
export interface Boarding {
  readonly run: Run;
  /** `miss` started it, `collapsed` joined it under way, `hit` found it done, `bypass` had it done again. */
  readonly via: 'miss' | 'collapsed' | 'hit' | 'bypass';
}

/** A flight as the rest of the gateway sees it; see flight.ts. */
export interface FlightPort {
  known(): Promise<Run | null>;
  submit(submission: Submission, fresh: boolean): Promise<Boarding>;
  watch(run: number, seconds: number): Promise<Run | null>;
  job(attempt: number): Promise<Job | null>;
  taken(attempt: number): Promise<void>;
  fail(attempt: number, error: JobError): Promise<void>;
  report(report: Report): Promise<boolean>;
}

export const isTerminal = (run: Run): boolean => run.status === 'succeeded' || run.status === 'failed';

export function begin(previous: Run | null, submission: Submission, now: number): Run {
  const run: Run = {
    number: (previous?.number ?? 0) + 1,
    submission,
    status: 'queued',
    attempt: previous?.attempt ?? 0,
    tries: 0,
    lease: '',
    taken: false,
    createdAt: now,
    startedAt: null,
    completedAt: null,
    deadline: 0,
    progress: null,
    result: null,
    artifacts: [],
    error: null,
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
  if (now >= run.createdAt + longestFlight)
    return fail(
      run,
      { code: 'deadline_exceeded', message: 'The computation took too long.', retryable: true },
      now,
    );
  if (run.tries < mostTries) return nextAttempt(run, now);
  const error: JobError = run.taken
    ? { code: 'worker_crashed', message: `The worker went silent ${mostTries} times.`, retryable: true }
    : { code: 'worker_unreachable', message: 'No worker took the job.', retryable: true };
  return fail(run, error, now);
}

export const delivered = (run: Run, now: number): Run => ({ ...run, deadline: now + deliveryTime });

export const taken = (run: Run, now: number): Run => ({ ...run, taken: true, deadline: now + leaseTime });

export const fail = (run: Run, error: JobError, now: number): Run => ({
  ...run,
  status: 'failed',
  completedAt: now,
  error,
});

/**
 * The run after `report`, or null when the report is refused: of an attempt that is over, under another
 * lease, or after the end.
 */
export function apply(run: Run, report: Report, now: number): Run | null {
  if (report.attempt !== run.attempt || report.lease !== run.lease || isTerminal(run)) return null;
  switch (report.status) {
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
      // A worker that is told to stop hands its job back in this way.
      return report.error.code === 'worker_crashed' ? overdue(run, now) : fail(run, report.error, now);
  }
}

/** Whether the run already ended with just this report: its answer was lost, and it may be repeated. */
export const isRepeated = (run: Run, report: Report): boolean =>
  report.attempt === run.attempt &&
  report.lease === run.lease &&
  report.status === run.status &&
  isTerminal(run);

/** Where the attempt's artifacts go. */
export const outputPrefix = ({ submission: { tenant, key }, attempt }: Run): string =>
  `t/${tenant}/x/${key}/${attempt}/`;

const isComplete = (run: Run, artifacts: readonly Artifact[]): boolean =>
  artifacts.length === artifactNames.length &&
  artifactNames.every((name) =>
    artifacts.some((artifact) => artifact.name === name && artifact.object === outputPrefix(run) + name),
  );

export const jobOf = (run: Run, reportUrl: string): Job => ({
  key: run.submission.key,
  attempt: run.attempt,
  lease: run.lease,
  question: run.submission.question,
  input: run.submission.input,
  output_prefix: outputPrefix(run),
  report_url: reportUrl,
  request_id: run.submission.requestId,
});
