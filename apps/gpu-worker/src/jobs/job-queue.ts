import { type Job, newNonce } from '@whylight/contract';
import type { ClaimedJob } from './gateway-call.ts';

export interface JobQueueSettings {
  /** Jobs at a time. */
  readonly concurrency: number;
  /** Jobs that may wait. */
  readonly limit: number;
  /** Has the attempt given to this worker alone; false: it is not, and the job is forgotten. Never rejects. */
  readonly claim: (job: ClaimedJob, signal: AbortSignal) => Promise<boolean>;
  /**
   * Works on a claimed job, which has waited for so many milliseconds; never rejects. The signal's reason says why the work is
   * no longer wanted.
   */
  readonly run: (job: ClaimedJob, signal: AbortSignal, waited: number) => Promise<void>;
}

/** Why a job is stopped: a newer attempt is here, nobody wants it any more, or the process ends. */
export type StopReason = 'superseded' | 'unwanted' | 'shutdown';

interface Taken {
  readonly job: ClaimedJob;
  /** On whose behalf. */
  readonly share: string;
  readonly controller: AbortController;
  readonly since: number;
  /** Whether the attempt is this worker's, once that is known. */
  claim: Promise<boolean>;
  isClaimed: boolean;
}

/** On whose behalf a job is, by where its artifacts go: `t/{tenant}/…`. */
export const shareOf = ({ output_prefix }: Pick<Job, 'output_prefix'>): string =>
  output_prefix.split('/')[1] ?? '';

/** A share may take up places, to wait or to run, up to as many as are left, times this. */
const greed = 2;

/** Finished jobs whose repetition is still recognised. */
const remembered = 1000;

/**
 * The jobs of this process: so many at a time, so many waiting. A job is told by its key and attempt: told twice it
 * runs once, and an attempt ends the ones before it. Each is claimed when it comes, while it waits for its place: what
 * another worker has does not wait, and nothing runs before it is this worker's.
 *
 * Tenants share it fairly. A free place goes to the one who has the fewest running, and of those to the one who has
 * waited longest for a turn. One alone takes up two thirds of the places and no more, so that the next finds some
 * whatever the jobs of the first: so would of two tenants each two fifths, and so on.
 */
export class JobQueue {
  readonly #settings: JobQueueSettings;
  readonly #waiting: Taken[] = [];
  readonly #running = new Set<Taken>();
  /** Latest attempt by key, of jobs waiting, running and recently finished. */
  readonly #attempts = new Map<string, number>();
  /** Shares that have jobs here, those that had their turn last at the end. */
  readonly #turns = new Set<string>();
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

  /** The jobs that wait or run and are this worker's. */
  get claimed(): ClaimedJob[] {
    return [...this.#waiting, ...this.#running].filter(({ isClaimed }) => isClaimed).map(({ job }) => job);
  }

  /** Whether every place is taken. */
  get full(): boolean {
    const { limit, concurrency } = this.#settings;
    return this.#waiting.length >= limit && this.#running.size >= concurrency;
  }

  /** `known`: it was taken before, or a later attempt was; nothing is done. */
  offer(job: Job): 'taken' | 'known' | 'full' | 'closed' {
    if (job.attempt <= (this.#attempts.get(job.key) ?? 0)) return 'known';
    if (!this.#open) return 'closed';
    const share = shareOf(job);
    if (!this.#hasRoomFor(share)) return 'full';
    this.#stop('superseded', (other) => other.job.key === job.key);
    this.#remember(job);
    this.#turns.add(share);
    const taken: Taken = {
      job: { ...job, nonce: newNonce() },
      share,
      controller: new AbortController(),
      since: performance.now(),
      claim: Promise.resolve(false),
      isClaimed: false,
    };
    taken.claim = this.#claim(taken);
    this.#waiting.push(taken);
    this.#next();
    return 'taken';
  }

  /** Stops this attempt wherever it is, and does not take it should it still come. */
  drop(key: string, attempt: number): void {
    if (attempt < (this.#attempts.get(key) ?? 0)) return;
    this.#remember({ key, attempt });
    this.#stop('unwanted', ({ job }) => job.key === key && job.attempt <= attempt);
  }

  /** Resolves when no job waits or runs, or the signal is aborted. */
  async untilIdle(signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#waiting.length + this.#running.size === 0) return;
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
    if (this.#waiting.length + this.#running.size > 0)
      await new Promise<void>((resolve) => this.#idle.push(resolve));
    clearTimeout(timer);
  }

  #next(): void {
    while (this.#running.size < this.#settings.concurrency) {
      const taken = this.#choose();
      if (!taken) break;
      this.#waiting.splice(this.#waiting.indexOf(taken), 1);
      this.#running.add(taken);
      void this.#run(taken).finally(() => {
        this.#running.delete(taken);
        this.#left(taken);
      });
    }
    if (this.#waiting.length + this.#running.size === 0) for (const done of this.#idle.splice(0)) done();
  }

  async #claim(taken: Taken): Promise<boolean> {
    taken.isClaimed = await this.#settings.claim(taken.job, taken.controller.signal);
    const place = this.#waiting.indexOf(taken);
    if (!taken.isClaimed && place >= 0) {
      this.#waiting.splice(place, 1);
      this.#left(taken);
    }
    return taken.isClaimed;
  }

  async #run({ job, claim, controller, since }: Taken): Promise<void> {
    if (await claim) await this.#settings.run(job, controller.signal, performance.now() - since);
  }

  #left({ share }: Taken): void {
    if (this.#count(share) === 0) this.#turns.delete(share);
    this.#next();
  }

  /** Whose turn it is, and of that share the job that came first; jobs that were stopped go before all. */
  #choose(): Taken | undefined {
    const stopped = this.#waiting.find(({ controller }) => controller.signal.aborted);
    if (stopped) return stopped;
    const waiting = new Set(this.#waiting.map(({ share }) => share));
    const [turn] = [...this.#turns]
      .filter((share) => waiting.has(share) && this.#mayRun(share))
      .sort((a, b) => this.#places(a) - this.#places(b));
    if (turn === undefined) return undefined;
    this.#turns.delete(turn);
    this.#turns.add(turn);
    return this.#waiting.find(({ share }) => share === turn);
  }

  #places(share: string): number {
    return [...this.#running].filter((other) => other.share === share).length;
  }

  #mayRun(share: string): boolean {
    return this.#places(share) < greed * (this.#settings.concurrency - this.#running.size);
  }

  #hasRoomFor(share: string): boolean {
    const own = this.#waiting.filter((other) => other.share === share).length;
    return this.#mayRun(share) || own < greed * (this.#settings.limit - this.#waiting.length);
  }

  #count(share: string): number {
    return [...this.#waiting, ...this.#running].filter((other) => other.share === share).length;
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
