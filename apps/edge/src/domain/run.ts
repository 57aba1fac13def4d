import {
  type Artifact,
  artifactPrefix,
  type Checkpoint,
  type CheckpointSource,
  type Claim,
  type Explanation,
  type ExplanationFailure,
  type Job,
  type ModelSource,
  type Question,
  type Result,
  type Style,
} from '@whylight/contract';

/** Milliseconds within which a sent message must reach a worker. */
export const deliveryTime = 60_000;
/** Milliseconds within which a worker that accepted the job must report. */
export const leaseTime = 60_000;
/** Milliseconds after which no worker can still be writing artifacts of an attempt that is over. */
export const lateWrites = 10 * 60_000;
/** Milliseconds for which a job may wait while every worker is busy. */
export const longestQueueTime = 24 * 3_600_000;
/** Milliseconds after its first start after which a run gets no further attempt. */
export const longestRun = 30 * 60_000;
export const mostTries = 3;
/** Explanations that may wait for one run. */
export const mostWaiters = 1_000;

/** The queue's message: hand this attempt of this computation to a worker. */
export interface AttemptMessage {
  readonly key: string;
  readonly attempt: number;
  /** How often all workers that were asked have refused it since one was last too busy for it; absent: never. */
  readonly refusals?: number;
  /** How often workers were too busy for it; absent: never. */
  readonly deferrals?: number;
}

/** A computation to run, and its tenant. */
export interface Submission {
  readonly key: string;
  readonly tenant: string;
  readonly question: Question;
  /** The style of the run's own pictures. */
  readonly style: Style;
  /** Id of the tenant's own model; absent or null: the question names one of the service's models. */
  readonly model?: string | null;
  readonly input: Job['input'];
  readonly requestId: string;
  /** W3C Trace Context of the request that started the run. */
  readonly traceparent?: string | undefined;
  /** Compute units that the run will cost. */
  readonly units: number;
  /** The prefix of its artifacts' names. Runs of earlier releases have none: theirs is `t/{tenant}/x/{key}/`. */
  readonly results?: string;
}

/** One run of a computation. Failures are not kept: a later request starts the next run. */
export interface Run {
  readonly number: number;
  /** Grows with every change. */
  readonly version: number;
  readonly submission: Submission;
  readonly status: Explanation['status'];
  /** The explanations that wait for the run, or for a rendering of it, or have waited, by id. */
  readonly waiters: Readonly<Record<string, Waiter>>;
  /** The waiter that owns the result: deleting that explanation deletes the result. */
  readonly owner: string | null;
  /** Counts over all runs of the key, so that no two attempts ever share a fence or an object prefix. */
  readonly attempt: number;
  readonly tries: number;
  /** Attempts that ended while a worker computed, and attempts that ended before a worker began. */
  readonly crashes: number;
  readonly losses: number;
  /** Attempts that workers have begun and handed back since the last one with progress: none had done a sample more. */
  readonly idleHandBacks: number;
  /** Most samples that were done in any attempt that was handed back. */
  readonly mostDone: number;
  /** Where the next attempt goes on: the checkpoint of the last attempt that was handed back with one. */
  readonly checkpoint: Checkpoint | null;
  readonly lease: string;
  /** True once a worker has accepted the present attempt: it answered 202, or claimed the attempt. */
  readonly accepted: boolean;
  /** The claims of this run's attempts, at most one for each. */
  readonly claims: readonly HeldClaim[];
  /** Unix milliseconds, as are the times below. */
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly completedAt: number | null;
  /** When the alarm must check that the worker still reports. */
  readonly deadline: number;
  readonly progress: { readonly completed: number; readonly total: number } | null;
  readonly result: Result | null;
  readonly artifacts: readonly Artifact[];
  readonly error: ExplanationFailure | null;
  /** Until when the result is kept: the latest time that any explanation asks for. */
  readonly keepUntil: number;
  /** Whether result and artifacts have been deleted. */
  readonly erased: boolean;
  /** Whether the tenant's meter has counted the end. */
  readonly metered: boolean;
}

/** An attempt, the worker that it belongs to, and the nonce that this worker made for it. */
export type HeldClaim = Omit<Claim, 'lease'>;

/** One explanation that waits for a run. */
export interface Waiter {
  readonly via: Admission['via'];
  /** When to end the wait (unix milliseconds), if the request says so. */
  readonly until: number | null;
  /** The style that it wants, if that is not the run's own; and since when the pictures in that style are there. */
  readonly style: Style | null;
  readonly renderedAt: number | null;
  /** Endpoint to notify of the end, if any, and whether it has been notified. */
  readonly webhook: string | null;
  readonly notified: boolean;
  /** Outcome of the wait, if it ended before the run. */
  readonly outcome: WaiterOutcome | null;
}

export interface WaiterOutcome {
  readonly status: 'canceled' | 'aborted' | 'failed';
  readonly at: number;
  readonly error: ExplanationFailure | null;
}

/** The run that answers a request, and how the request found it. */
export interface Admission {
  readonly run: Run;
  /** `miss` started the run, `collapsed` joined it under way, `hit` found it done, `bypass` had it computed again. */
  readonly via: 'miss' | 'collapsed' | 'hit' | 'bypass';
}

/** The data with which an explanation asks to wait for a run. */
export interface WaitRequest {
  readonly id: string;
  readonly until: number | null;
  readonly style: Style;
  readonly keepUntil: number;
  readonly webhook: string | null;
}

export const isTerminal = (run: Pick<Run, 'status'>): boolean =>
  run.status !== 'queued' && run.status !== 'processing';

/** The id of the run at the tenant's meter. */
export const meterId = ({ submission, number }: Run): string => `${submission.key}/${number}`;

/** Gives the cost of the run: the part that was computed, by whatever attempts; failures are free. */
export function unitsSpent({ status, submission: { units }, progress }: Run): number {
  if (status === 'succeeded') return units;
  if (status !== 'canceled' || !progress) return 0;
  // The process of a tenant's own model may say any number.
  const part = Math.min(1, Math.max(0, progress.completed / Math.max(1, progress.total)));
  return Math.round(units * part);
}

/** The claim of an attempt of this run: by default the present one. */
export const claimOf = ({ claims, attempt }: Run, number: number = attempt): HeldClaim | null =>
  claims.find((claim) => claim.attempt === number) ?? null;

/** The prefix that the names of all artifacts of an attempt share; the nonce of its claim follows. */
const attemptPrefix = (
  { submission: { tenant, key, results = `t/${tenant}/x/${key}/` }, attempt }: Run,
  number: number = attempt,
): string => `${results}${number}/`;

/** Gives the prefix of an attempt's artifacts. It has no nonce without a claim: an earlier release had no claims. */
export function outputPrefix(run: Run, number: number = run.attempt): string {
  const claim = claimOf(run, number);
  const prefix = attemptPrefix(run, number);
  return claim ? artifactPrefix(prefix, claim.nonce) : prefix;
}

/** Lists the prefixes where attempts of this run may have left artifacts that nobody may see. */
export function stalePrefixes(run: Run): string[] {
  const attempts = Array.from({ length: run.tries }, (_, back) => run.attempt - back);
  const kept = run.status === 'succeeded' && !run.erased ? run.attempt : null;
  return attempts.filter((attempt) => attempt !== kept).map((attempt) => outputPrefix(run, attempt));
}

/** Lists where the run's checkpoint lies: the prefix of the attempt that has left it, or none. */
export const checkpointPrefix = ({ checkpoint }: Run): string[] =>
  checkpoint ? [checkpoint.object.slice(0, checkpoint.object.lastIndexOf('/') + 1)] : [];

const sourceOfCheckpoint = ({ object, sha256, bytes }: Checkpoint): CheckpointSource => ({
  object,
  sha256,
  bytes,
});

export const jobOf = (
  run: Run,
  urls: Pick<Job, 'claim_url' | 'report_url'>,
  model: ModelSource | null,
): Job => ({
  key: run.submission.key,
  attempt: run.attempt,
  lease: run.lease,
  question: run.submission.question,
  style: run.submission.style,
  ...(model ? { model } : {}),
  input: run.submission.input,
  output_prefix: attemptPrefix(run),
  ...(run.checkpoint ? { checkpoint: sourceOfCheckpoint(run.checkpoint) } : {}),
  ...urls,
  request_id: run.submission.requestId,
  ...(run.submission.traceparent ? { traceparent: run.submission.traceparent } : {}),
});
