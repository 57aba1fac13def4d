import { deferred } from '@whylight/core';
import { giveTurns } from './deficit-round-robin.ts';

/** A resource that running tasks take up; it decides whether one more fits. `C` is the type of a task's claim. */
export interface Capacity<C> {
  fits(claim: C): boolean;
  take(claim: C, owner: string): void;
  release(claim: C): void;
}

/** Whether an owner who has `own` tasks may have `task` too, if all owners together have `all`. */
export type Share<C> = (own: number, all: number, task: Task<C>) => boolean;

export interface FairQueueOptions<C> {
  readonly capacity: Capacity<C>;
  /** Decides whether an owner may start a task. Default: every owner may. */
  readonly mayStart?: Share<C>;
  /** Decides whether an owner may add a task that waits. Default: every owner may. */
  readonly mayWait?: Share<C>;
}

export interface Task<C> {
  /** The owner of the task: the queue is fair to owners, not to tasks. */
  readonly owner: string;
  readonly claim: C;
  /** Turns that the task takes, 1 or more. Default: 1. */
  readonly cost?: number;
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

/** What the queue knows of an owner: see `Contender`. */
interface Owner {
  readonly name: string;
  running: number;
  deficit: number;
  lastTurn: number;
  since: number;
}

/**
 * An owner may take more places while it has fewer than `greed` times those that are free. With 2, one owner alone gets two
 * thirds of the places, two owners get two fifths each, and so on: whoever comes next finds a place. An owner who holds a
 * place never takes the last one.
 */
export const leavePlaces =
  (places: number, greed: number): Share<unknown> =>
  (own, all) =>
    own < greed * (places - all) && (own === 0 || places - all > 1);

/**
 * Starts tasks as the capacity allows, by deficit round robin: each owner who waits and may start a task has one turn in each
 * round, and a task starts when its owner has had as many turns as the task costs. So while k owners wait, nobody waits
 * longer than k turns for its own.
 *
 * One owner's tasks start in the order in which they came. A task that does not fit yet holds up those behind it, so that
 * small tasks never keep a large one waiting for ever.
 */
export class FairQueue<C> {
  readonly #options: FairQueueOptions<C>;
  /** Waiting tasks in the order in which they came. */
  readonly #waiting: Entry<C>[] = [];
  /** Owners of tasks that wait or run, and those who would have a second turn in this round if they came back now. */
  readonly #owners = new Map<string, Owner>();
  #running = 0;
  #turns = 0;

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
  hasRoomFor(task: Task<C>): boolean {
    const { capacity, mayWait = everyone } = this.#options;
    if (this.#mayStart(task) && capacity.fits(task.claim)) return true;
    return mayWait(this.#countWaiting(task.owner), this.#waiting.length, task);
  }

  /** Queues a task. It starts now if it may; nobody asks whether there is room for it. */
  enter(task: Task<C>): Ticket {
    const { promise: started, resolve: start } = deferred<void>();
    const entry: Entry<C> = { ...task, start, isUrgent: false };
    this.#join(task.owner);
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

  #join(name: string): void {
    const known = this.#owners.get(name);
    if (!known) {
      this.#owners.set(name, { name, running: 0, deficit: 0, lastTurn: 0, since: this.#turns });
      return;
    }
    if (this.#countWaiting(name) > 0) return;
    // Comes last in the order of the owners.
    this.#owners.delete(name);
    this.#owners.set(name, Object.assign(known, { since: this.#turns }));
  }

  #startNext(): void {
    for (;;) {
      const urgent = this.#waiting.find(({ isUrgent }) => isUrgent);
      const chosen = urgent ? { entry: urgent, turns: [] } : this.#chooseNext();
      if (!chosen || !this.#options.capacity.fits(chosen.entry.claim)) return;
      for (const owner of chosen.turns) this.#countTurn(owner);
      this.#start(chosen.entry);
    }
  }

  #start(entry: Entry<C>): void {
    const { owner, claim, isUrgent, cost = 1, start } = entry;
    this.#waiting.splice(this.#waiting.indexOf(entry), 1);
    this.#options.capacity.take(claim, owner);
    this.#running++;
    const own = this.#owners.get(owner)!;
    own.running++;
    if (!isUrgent) own.deficit -= cost;
    this.#forgetIdle();
    start();
  }

  /** The task that starts next, and whose turns it takes until then. */
  #chooseNext(): { entry: Entry<C>; turns: Owner[] } | undefined {
    const contenders = [...this.#owners.values()].flatMap((owner) => {
      const entry = this.#waiting.find((each) => each.owner === owner.name);
      return entry && this.#mayStart(entry) ? [{ ...owner, cost: entry.cost ?? 1, owner, entry }] : [];
    });
    const given = giveTurns(contenders, this.#turns);
    const last = given.at(-1);
    return last && { entry: last.entry, turns: given.map(({ owner }) => owner) };
  }

  #countTurn(owner: Owner): void {
    this.#turns++;
    owner.deficit++;
    owner.lastTurn = this.#turns;
    owner.since = this.#turns;
    this.#owners.delete(owner.name);
    this.#owners.set(owner.name, owner);
  }

  #end(entry: Entry<C>): void {
    const { owner, claim } = entry;
    const place = this.#waiting.indexOf(entry);
    if (place >= 0) this.#waiting.splice(place, 1);
    else {
      this.#options.capacity.release(claim);
      this.#running--;
      this.#owners.get(owner)!.running--;
    }
    this.#forgetIdle();
    this.#startNext();
  }

  #forgetIdle(): void {
    const waiting = new Set(this.#waiting.map(({ owner }) => owner));
    const oldest = Math.min(...[...waiting].map((name) => this.#owners.get(name)!.since));
    for (const owner of this.#owners.values()) {
      if (waiting.has(owner.name)) continue;
      owner.deficit = 0;
      if (owner.running === 0 && owner.lastTurn <= oldest) this.#owners.delete(owner.name);
    }
  }

  #mayStart(task: Task<C>): boolean {
    const { mayStart = everyone } = this.#options;
    return mayStart(this.#owners.get(task.owner)?.running ?? 0, this.#running, task);
  }

  #countWaiting(owner: string): number {
    return this.#waiting.filter((entry) => entry.owner === owner).length;
  }
}

const everyone: Share<unknown> = () => true;

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
