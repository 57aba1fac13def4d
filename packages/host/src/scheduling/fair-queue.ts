import { deferred } from '@whylight/core';

/** A resource that running tasks take up; it decides whether one more fits. `C` is the type of a task's claim. */
export interface Capacity<C> {
  fits(claim: C): boolean;
  take(claim: C): void;
  release(claim: C): void;
}

/** Whether an owner who has `own` tasks may have one more, if all owners together have `all`. */
export type Share = (own: number, all: number) => boolean;

export interface FairQueueOptions<C> {
  readonly capacity: Capacity<C>;
  /** Decides whether an owner may start a task. Default: every owner may. */
  readonly mayStart?: Share;
  /** Decides whether an owner may add a task that waits. Default: every owner may. */
  readonly mayWait?: Share;
}

export interface Task<C> {
  /** The owner of the task: the queue is fair to owners, not to tasks. */
  readonly owner: string;
  readonly claim: C;
}

/** A task's place in the queue. */
export interface Ticket {
  /** Resolves when the task may start. It never resolves for a task that ends before. */
  readonly started: Promise<void>;
  readonly isWaiting: boolean;
  /** Moves a waiting task before all others, whatever its owner's share. */
  hurry(): void;
  /** Gives the place back. The owner of the ticket calls this once, whether the task has started or not. */
  end(): void;
}

interface Entry<C> extends Task<C> {
  readonly start: () => void;
  isUrgent: boolean;
}

/**
 * An owner may take more places while it has fewer than `greed` times those that are free. With 2, one owner alone gets two
 * thirds of the places, two owners get two fifths each, and so on: whoever comes next finds a place.
 */
export const leavePlaces =
  (places: number, greed: number): Share =>
  (own, all) =>
    own < greed * (places - all);

/**
 * Starts tasks as the capacity allows, and shares it among owners: the next task is one of the owner who has the fewest
 * running, and of those owners, the one who has waited longest for a turn. One owner's tasks start in the order in
 * which they came. A task that does not fit yet holds up those behind it, so that small tasks never keep a large one
 * waiting for ever.
 */
export class FairQueue<C> {
  readonly #options: FairQueueOptions<C>;
  /** Waiting tasks in the order in which they came. */
  readonly #waiting: Entry<C>[] = [];
  /** Number of running tasks by owner. The owner who had its turn last is at the end. */
  readonly #owners = new Map<string, number>();
  #running = 0;

  constructor(options: FairQueueOptions<C>) {
    this.#options = options;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  get running(): number {
    return this.#running;
  }

  /** Whether the task may start at once, or else may wait. */
  hasRoomFor({ owner, claim }: Task<C>): boolean {
    const { capacity, mayWait = everyone } = this.#options;
    if (this.#mayStart(owner) && capacity.fits(claim)) return true;
    return mayWait(this.#countWaiting(owner), this.#waiting.length);
  }

  /** Queues a task. It starts now if it may; nobody asks whether there is room for it. */
  enter({ owner, claim }: Task<C>): Ticket {
    const { promise: started, resolve: start } = deferred<void>();
    const entry: Entry<C> = { owner, claim, start, isUrgent: false };
    if (!this.#owners.has(owner)) this.#owners.set(owner, 0);
    this.#waiting.push(entry);
    this.#startNext();
    const isWaiting = () => this.#waiting.includes(entry);
    return {
      started,
      get isWaiting() {
        return isWaiting();
      },
      hurry: () => {
        entry.isUrgent = true;
        this.#startNext();
      },
      end: () => this.#end(entry),
    };
  }

  /** Runs `work` when its turn has come. @throws the signal's reason when it is aborted before that */
  async run<T>(task: Task<C>, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    const ticket = this.enter(task);
    try {
      await untilAborted(ticket.started, signal);
      return await work();
    } finally {
      ticket.end();
    }
  }

  #startNext(): void {
    for (;;) {
      const next = this.#chooseNext();
      if (!next || !this.#options.capacity.fits(next.claim)) return;
      this.#waiting.splice(this.#waiting.indexOf(next), 1);
      this.#options.capacity.take(next.claim);
      this.#running++;
      const own = this.#owners.get(next.owner)!;
      this.#owners.delete(next.owner);
      this.#owners.set(next.owner, own + 1);
      next.start();
    }
  }

  #chooseNext(): Entry<C> | undefined {
    const urgent = this.#waiting.find(({ isUrgent }) => isUrgent);
    if (urgent) return urgent;
    const waiting = new Set(this.#waiting.map(({ owner }) => owner));
    const [turn] = [...this.#owners]
      .filter(([owner]) => waiting.has(owner) && this.#mayStart(owner))
      .toSorted(([, one], [, other]) => one - other);
    return turn && this.#waiting.find(({ owner }) => owner === turn[0]);
  }

  #end(entry: Entry<C>): void {
    const { owner, claim } = entry;
    const place = this.#waiting.indexOf(entry);
    if (place >= 0) this.#waiting.splice(place, 1);
    else {
      this.#options.capacity.release(claim);
      this.#running--;
      this.#owners.set(owner, this.#owners.get(owner)! - 1);
    }
    if (this.#owners.get(owner) === 0 && this.#countWaiting(owner) === 0) this.#owners.delete(owner);
    this.#startNext();
  }

  #mayStart(owner: string): boolean {
    const { mayStart = everyone } = this.#options;
    return mayStart(this.#owners.get(owner) ?? 0, this.#running);
  }

  #countWaiting(owner: string): number {
    return this.#waiting.filter((entry) => entry.owner === owner).length;
  }
}

const everyone: Share = () => true;

/** Listens to the signal no longer than `started` takes: a signal may live much longer. */
async function untilAborted(started: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return started;
  const aborted = deferred<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    await Promise.race([started, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
