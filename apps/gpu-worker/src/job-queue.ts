import type { Job } from '@whylight/contract';

export interface JobQueueSettings {
  /** Jobs at a time. */
  readonly concurrency: number;
  /** Jobs that may wait. */
  readonly limit: number;
  /** Works on a job; never rejects. The signal's reason says why the work is no longer wanted. */
  readonly run: (job: Job, signal: AbortSignal) => Promise<void>;
}

/** Why a job is stopped: a newer attempt is here, nobody wants it any more, or the process ends. */
export type StopReason = 'superseded' | 'unwanted' | 'shutdown';

interface Taken {
  readonly job: Job;
  readonly controller: AbortController;
}

/** Finished jobs whose repetition is still recognised. */
const remembered = 1000;

/**
 * The jobs of this process: so many at a time, so many waiting. A job is told by its key and attempt: told twice it
 * runs once, and an attempt ends the ones before it.
 */
export class JobQueue {
  readonly #settings: JobQueueSettings;
  readonly #waiting: Taken[] = [];
  readonly #running = new Set<Taken>();
  /** Latest attempt by key, of jobs waiting, running and recently finished. */
  readonly #attempts = new Map<string, number>();
  #open = true;
  #idle: (() => void)[] = [];

  constructor(settings: JobQueueSettings) {
    this.#settings = settings;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  get running(): number {
    return this.#running.size;
  }

  /** Whether the next job would be sent away. */
  get full(): boolean {
    const { limit, concurrency } = this.#settings;
    return this.#waiting.length >= limit && this.#running.size >= concurrency;
  }

  /** `known`: it was taken before, or a later attempt was; nothing is done. */
  offer(job: Job): 'taken' | 'known' | 'full' | 'closed' {
    if (job.attempt <= (this.#attempts.get(job.key) ?? 0)) return 'known';
    if (!this.#open) return 'closed';
    if (this.full) return 'full';
    this.#stop('superseded', (other) => other.job.key === job.key);
    this.#remember(job);
    this.#waiting.push({ job, controller: new AbortController() });
    this.#next();
    return 'taken';
  }

  /** Stops this attempt wherever it is, and does not take it should it still come. */
  drop(key: string, attempt: number): void {
    if (attempt < (this.#attempts.get(key) ?? 0)) return;
    this.#remember({ key, attempt });
    this.#stop('unwanted', ({ job }) => job.key === key && job.attempt <= attempt);
  }

  /** Takes no more jobs and waits for those that it has; after `milliseconds` it stops them. */
  async drain(milliseconds: number): Promise<void> {
    this.#open = false;
    const timer = setTimeout(() => this.#stop('shutdown', () => true), milliseconds);
    if (this.#waiting.length + this.#running.size > 0)
      await new Promise<void>((resolve) => this.#idle.push(resolve));
    clearTimeout(timer);
  }

  #next(): void {
    while (this.#running.size < this.#settings.concurrency) {
      const taken = this.#waiting.shift();
      if (!taken) break;
      this.#running.add(taken);
      void this.#settings.run(taken.job, taken.controller.signal).finally(() => {
        this.#running.delete(taken);
        this.#next();
      });
    }
    if (this.#waiting.length + this.#running.size === 0) for (const done of this.#idle.splice(0)) done();
  }

  /** Jobs that wait still get their turn, a short one: they are to report that they were stopped. */
  #stop(reason: StopReason, which: (taken: Taken) => boolean): void {
    for (const taken of [...this.#waiting, ...this.#running])
      if (which(taken)) taken.controller.abort(reason);
  }

  #remember({ key, attempt }: Pick<Job, 'key' | 'attempt'>): void {
    this.#attempts.delete(key);
    this.#attempts.set(key, attempt);
    if (this.#attempts.size > remembered + this.#waiting.length + this.#running.size)
      this.#attempts.delete(this.#attempts.keys().next().value!);
  }
}
