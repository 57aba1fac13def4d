import { type Job, newNonce } from '@whylight/contract';
import { Budget, FairQueue, leavePlaces, type Ticket } from '@whylight/host';
import { tenantOf as tenantOfObject } from '../storage/tenant-of.ts';
import type { ClaimedJob } from './gateway-call.ts';

export interface JobQueueSettings {
  /** Jobs at a time. */
  readonly concurrency: number;
  /** Jobs that may wait. */
  readonly limit: number;
  /** Asks for the attempt, for this worker alone. False: another one has it, and the queue forgets the job. Never rejects. */
  readonly claim: (job: ClaimedJob, signal: AbortSignal) => Promise<boolean>;
  /**
   * Works on a claimed job, which has waited for so many milliseconds. Never rejects. The signal's reason says why nobody
   * wants the work any more.
   */
  readonly run: (job: ClaimedJob, signal: AbortSignal, waited: number) => Promise<void>;
}

/** The reason to stop a job: a newer attempt is here, nobody wants it any more, or the process ends. */
export type StopReason = 'superseded' | 'unwanted' | 'shutdown';

interface QueuedJob {
  readonly job: ClaimedJob;
  readonly controller: AbortController;
  readonly ticket: Ticket;
  isClaimed: boolean;
}

/** The tenant of a job, by the prefix of its artifacts. */
export const tenantOf = ({ output_prefix }: Pick<Job, 'output_prefix'>): string =>
  tenantOfObject(output_prefix);

/** A tenant may take up places, to wait or to run, up to as many as are left, times this. */
const greed = 2;

/** Finished jobs whose repetition is still recognised. */
const remembered = 1000;

/**
 * The jobs of this process: so many run at a time, so many wait. Key and attempt identify a job: a job that is offered twice
 * runs once, and an attempt ends the ones before it. The queue claims each job when it comes, while the job waits for its
 * place: a job that another worker has does not wait, and no job runs before it is this worker's.
 *
 * A fair queue shares the places among tenants. One tenant alone gets two thirds of them and no more, so that the next
 * tenant finds some, however many jobs the first one has.
 */
export class JobQueue {
  readonly #settings: JobQueueSettings;
  readonly #places: FairQueue<number>;
  /** The jobs that wait or run. */
  readonly #jobs = new Set<QueuedJob>();
  /** Latest attempt by key, of jobs waiting, running and recently finished. */
  readonly #attempts = new Map<string, number>();
  #open = true;
  #idle: (() => void)[] = [];

  constructor(settings: JobQueueSettings) {
    const { concurrency, limit } = settings;
    this.#settings = settings;
    this.#places = new FairQueue({
      capacity: new Budget(concurrency),
      mayStart: leavePlaces(concurrency, greed),
      mayWait: leavePlaces(limit, greed),
    });
  }

  get waiting(): number {
    return this.#places.waiting;
  }

  get running(): number {
    return this.#places.running;
  }

  /** The jobs that wait or run and are this worker's. */
  get claimed(): ClaimedJob[] {
    return [...this.#jobs].filter(({ isClaimed }) => isClaimed).map(({ job }) => job);
  }

  /** Whether every place is taken. */
  get full(): boolean {
    const { limit, concurrency } = this.#settings;
    return this.waiting >= limit && this.running >= concurrency;
  }

  /** `known`: the queue took this attempt before, or a later one, and does nothing. */
  offer(job: Job): 'taken' | 'known' | 'full' | 'closed' {
    if (job.attempt <= (this.#attempts.get(job.key) ?? 0)) return 'known';
    if (!this.#open) return 'closed';
    const task = { owner: tenantOf(job), claim: 1 };
    if (!this.#places.hasRoomFor(task)) return 'full';
    this.#stop('superseded', (other) => other.job.key === job.key);
    this.#remember(job);
    const queued: QueuedJob = {
      job: { ...job, nonce: newNonce() },
      controller: new AbortController(),
      ticket: this.#places.enter(task),
      isClaimed: false,
    };
    this.#jobs.add(queued);
    void this.#run(queued);
    return 'taken';
  }

  /** Stops this attempt, whether it waits or runs. If it has not come yet, the queue will not take it. */
  drop(key: string, attempt: number): void {
    if (attempt < (this.#attempts.get(key) ?? 0)) return;
    this.#remember({ key, attempt });
    this.#stop('unwanted', ({ job }) => job.key === key && job.attempt <= attempt);
  }

  /** Resolves when no job waits or runs, or the signal is aborted. */
  async untilIdle(signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#jobs.size === 0) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#idle.push(done);
      signal.addEventListener('abort', done);
    });
  }

  /** Takes no more jobs and waits for those that it has; after `milliseconds` it stops them. */
  async drain(milliseconds: number): Promise<void> {
    this.#open = false;
    const timer = setTimeout(() => this.#stop('shutdown', () => true), milliseconds);
    if (this.#jobs.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    clearTimeout(timer);
  }

  async #run(queued: QueuedJob): Promise<void> {
    const { job, controller, ticket } = queued;
    const since = performance.now();
    try {
      queued.isClaimed = await this.#settings.claim(job, controller.signal);
      // A job that another worker has gives its place back at once, whether it waits or not.
      if (!queued.isClaimed) return;
      await ticket.started;
      await this.#settings.run(job, controller.signal, performance.now() - since);
    } finally {
      this.#jobs.delete(queued);
      ticket.end();
      if (this.#jobs.size === 0) for (const done of this.#idle.splice(0)) done();
    }
  }

  /** A job that waits still gets a turn, a short one, before all others: it reports that it was stopped. */
  #stop(reason: StopReason, which: (queued: QueuedJob) => boolean): void {
    for (const queued of this.#jobs) {
      if (!which(queued)) continue;
      queued.controller.abort(reason);
      queued.ticket.hurry();
    }
  }

  #remember({ key, attempt }: Pick<Job, 'key' | 'attempt'>): void {
    this.#attempts.delete(key);
    this.#attempts.set(key, attempt);
    if (this.#attempts.size > remembered + this.#jobs.size)
      this.#attempts.delete(this.#attempts.keys().next().value!);
  }
}
