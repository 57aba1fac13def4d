import {
  type Artifact,
  artifactPrefix,
  type Claim,
  currentResult,
  type Explanation,
  type Job,
  type JobError,
  type Look,
  type ModelSource,
  ownLook,
  type Question,
  type Result,
  retention,
} from '@whylight/contract';

/** Milliseconds within which a sent message must reach a worker. */
export const deliveryTime = 60_000;
/** Milliseconds within which a worker that took the job must say something. */
export const leaseTime = 60_000;
/** Milliseconds after which no worker can still be writing what it should have stopped to write. */
export const lateWrites = 10 * 60_000;
/** Milliseconds after which a computation is given up, whatever its state. */
export const longestRun = 30 * 60_000;
export const mostTries = 3;
/** Explanations that may wait for one run. */
export const mostRiders = 1_000;

/** What the queue carries: which attempt of which computation to hand to a worker. */
export interface Departure {
  readonly key: string;
  readonly attempt: number;
}

/** What is to be computed and for whom. */
export interface Submission {
  readonly key: string;
  readonly tenant: string;
  readonly question: Question;
  /** How the worker draws its pictures, once it has computed. */
  readonly look: Look;
  /** Id of the tenant's own model that the question is about; absent or null: one of the service's. */
  readonly model?: string | null;
  readonly input: Job['input'];
  readonly requestId: string;
  /** W3C Trace Context of the request that began it. */
  readonly traceparent?: string | undefined;
  /** Compute units that it will cost. */
  readonly units: number;
  /** The prefix of its artifacts' names. Runs of earlier releases have none: theirs is `t/{tenant}/x/{key}/`. */
  readonly results?: string;
}

/** One computation of a key. Failures are not kept: a later request starts the next run. */
export interface Run {
  readonly number: number;
  /** Grows with every change. */
  readonly version: number;
  readonly submission: Submission;
  readonly status: Explanation['status'];
  /** By the id of the explanation: who asked for this run before it had ended. */
  readonly riders: Readonly<Record<string, Rider>>;
  /** The rider whose result this is, so that deleting that one deletes the result. */
  readonly owner: string | null;
  /** Counts over all runs of the key, so that no two ever share a fence or an object prefix. */
  readonly attempt: number;
  readonly tries: number;
  /** Attempts that ended with a worker at work on it, and those that were lost before one had begun. */
  readonly crashes: number;
  readonly losses: number;
  readonly lease: string;
  /** True once a worker has answered 202 for this attempt or has claimed it. */
  readonly taken: boolean;
  /** Who has claimed which attempt of this run, at most one each. */
  readonly claims: readonly HeldClaim[];
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
  /** Until when the result is kept, for whoever asked for it to be kept longest. */
  readonly keepUntil: number;
  /** Whether result and artifacts were there and have been deleted. */
  readonly erased: boolean;
  /** Whether the tenant's meter has been told of the end. */
  readonly metered: boolean;
}

/** An attempt, the worker that it belongs to, and the nonce that this worker made for it. */
export type HeldClaim = Omit<Claim, 'lease'>;

/** One explanation that a run is to answer. */
export interface Rider {
  readonly via: Boarding['via'];
  /** When it is to be given up (unix milliseconds), if it says so. */
  readonly until: number | null;
  /** How it wants to be drawn, where that is not how the run is. */
  readonly look: Look | null;
  /** Endpoint that is to be told of its end, if any, and whether it has been. */
  readonly webhook: string | null;
  readonly told: boolean;
  /** How it ended, where that was before the run did. */
  readonly exit: Exit | null;
}

export interface Exit {
  readonly status: 'canceled' | 'aborted' | 'failed';
  readonly at: number;
  readonly error: JobError | null;
}

/** A run and how a request came to it. */
export interface Boarding {
  readonly run: Run;
  /** `miss` started it, `collapsed` joined it under way, `hit` found it done, `bypass` had it done again. */
  readonly via: 'miss' | 'collapsed' | 'hit' | 'bypass';
}

/** What an explanation shows to come aboard. */
export interface Pass {
  readonly id: string;
  readonly until: number | null;
  readonly look: Look;
  readonly keepUntil: number;
  readonly webhook: string | null;
}

export const isTerminal = (run: Pick<Run, 'status'>): boolean =>
  run.status !== 'queued' && run.status !== 'processing';

/** Under which name the tenant's meter knows it. */
export const meterId = ({ submission, number }: Run): string => `${submission.key}/${number}`;

/** What it has cost: what was computed of it; failures are free. */
export function unitsSpent({ status, submission: { units }, progress }: Run): number {
  if (status === 'succeeded') return units;
  if (status !== 'canceled' || !progress) return 0;
  return Math.round((units * progress.completed) / Math.max(1, progress.total));
}

/** Who has claimed an attempt of this run: the present one if not said. */
export const claimOf = ({ claims, attempt }: Run, number: number = attempt): HeldClaim | null =>
  claims.find((claim) => claim.attempt === number) ?? null;

/** The prefix that the names of all artifacts of an attempt share; the nonce of its claim follows. */
const attemptPrefix = (
  { submission: { tenant, key, results = `t/${tenant}/x/${key}/` }, attempt }: Run,
  number: number = attempt,
): string => `${results}${number}/`;

/** Where the artifacts of an attempt go. Those of an earlier release, which knew no claims, have no nonce in their names. */
export function outputPrefix(run: Run, number: number = run.attempt): string {
  const claim = claimOf(run, number);
  const prefix = attemptPrefix(run, number);
  return claim ? artifactPrefix(prefix, claim.nonce) : prefix;
}

/** Where attempts of this run may have left artifacts that nobody is to see. */
export function stalePrefixes(run: Run): string[] {
  const attempts = Array.from({ length: run.tries }, (_, back) => run.attempt - back);
  const kept = run.status === 'succeeded' && !run.erased ? run.attempt : null;
  return attempts.filter((attempt) => attempt !== kept).map((attempt) => outputPrefix(run, attempt));
}

export const jobOf = (
  run: Run,
  urls: Pick<Job, 'claim_url' | 'report_url'>,
  model: ModelSource | null,
): Job => ({
  key: run.submission.key,
  attempt: run.attempt,
  lease: run.lease,
  question: run.submission.question,
  look: run.submission.look,
  ...(model ? { model } : {}),
  input: run.submission.input,
  output_prefix: attemptPrefix(run),
  ...urls,
  request_id: run.submission.requestId,
  ...(run.submission.traceparent ? { traceparent: run.submission.traceparent } : {}),
});

type Recent = 'claims' | 'crashes' | 'losses' | 'version' | 'owner' | 'keepUntil' | 'erased' | 'metered';
/** As an earlier release may have stored it. */
export type StoredRun = Omit<Run, Recent | 'riders' | 'submission'> &
  Partial<Pick<Run, Recent>> & {
    readonly riders?: Readonly<Record<string, Pick<Rider, 'via' | 'until' | 'exit'> & Partial<Rider>>>;
    readonly submission: Omit<Submission, 'look'> & Partial<Pick<Submission, 'look'>>;
  };

/** A stored run, with what it does not say. */
export function upgraded(stored: StoredRun): Run {
  const { submission, riders = {} } = stored;
  // The language was part of the question once.
  const { language } = submission.question as { language?: Look['language'] };
  return {
    ...{ claims: [], crashes: 0, losses: 0, version: 0, owner: null, erased: false, metered: true },
    keepUntil: stored.createdAt + retention.usual * 1000,
    ...stored,
    result: stored.result && currentResult(stored.result),
    riders: Object.fromEntries(
      Object.entries(riders).map(([id, rider]) => [id, { look: null, webhook: null, told: false, ...rider }]),
    ),
    submission: { look: ownLook(language), ...submission },
  };
}
