/** A process that can be stopped where it is, and go on later. */
export interface Pausable {
  pause(): void;
  resume(): void;
}

/** One of the places where a tenant's work runs: a process, or null, the worker's own. */
interface Place {
  readonly process: Pausable | null;
  /** Pieces of work there. */
  users: number;
  /** Those of them that must end soon: nobody wants them any more. */
  ending: number;
  isPaused: boolean;
}

/** Milliseconds for which one of a tenant's processes runs before the next one has its turn. */
const usualSlice = 100;

/**
 * Shares the cores among tenants whose work runs in several processes. The kernel gives each busy process the same, so a
 * tenant with five of them gets five times what a tenant with one gets. While more than one tenant has work, each tenant
 * therefore has one place at a time where it runs; its other processes are paused, and its places take turns, round robin.
 */
export class ProcessTurns {
  readonly #slice: number;
  /** The places of each tenant that has work; the first one has its turn. */
  readonly #tenants = new Map<string, Place[]>();
  #timer: NodeJS.Timeout | undefined;

  constructor(slice = usualSlice) {
    this.#slice = slice;
  }

  /** Does work of a tenant in `process`, or with null in the worker itself. */
  async during<T>(
    tenant: string,
    process: Pausable | null,
    work: () => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const place = this.#enter(tenant, process);
    // A process that must end has two seconds for that; a pause would use them up.
    let isEnding = false;
    const hurry = () => {
      isEnding = true;
      place.ending++;
      this.#apply();
    };
    signal?.addEventListener('abort', hurry, { once: true });
    try {
      return await work();
    } finally {
      signal?.removeEventListener('abort', hurry);
      if (isEnding) place.ending--;
      this.#leave(tenant, place);
    }
  }

  /** Gives the turn of each tenant to its next place. */
  next(): void {
    for (const places of this.#tenants.values()) places.push(places.shift()!);
    this.#apply();
  }

  #enter(tenant: string, process: Pausable | null): Place {
    const places = this.#tenants.get(tenant) ?? [];
    this.#tenants.set(tenant, places);
    let place = places.find((each) => each.process === process);
    if (!place) {
      place = { process, users: 0, ending: 0, isPaused: false };
      places.push(place);
    }
    place.users++;
    this.#apply();
    return place;
  }

  #leave(tenant: string, place: Place): void {
    place.users--;
    const places = this.#tenants.get(tenant)!;
    if (place.users === 0) {
      places.splice(places.indexOf(place), 1);
      if (place.isPaused) place.process?.resume();
    }
    if (places.length === 0) this.#tenants.delete(tenant);
    this.#apply();
  }

  #apply(): void {
    const isShared = this.#tenants.size > 1;
    for (const places of this.#tenants.values())
      for (const [n, place] of places.entries()) {
        const mustWait = isShared && n > 0 && place.ending === 0;
        if (mustWait === place.isPaused) continue;
        place.isPaused = mustWait;
        if (mustWait) place.process?.pause();
        else place.process?.resume();
      }
    const takesTurns = isShared && [...this.#tenants.values()].some((places) => places.length > 1);
    if (!takesTurns) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    } else this.#timer ??= setInterval(() => this.next(), this.#slice).unref();
  }
}
