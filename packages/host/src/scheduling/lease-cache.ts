/** A value that is expensive to create and must be closed. */
interface Closable {
  close(): Promise<void>;
}

interface Entry<V> {
  readonly value: Promise<V>;
  /** Resolves with the value when it exists. */
  made: V | undefined;
  users: number;
  evicted: boolean;
}

/** Most values to keep, and the most that their sizes may add up to. */
export interface LeaseLimits<V> {
  readonly capacity: number;
  readonly budget?: number | undefined;
  readonly size?: (value: V) => number;
}

/**
 * Keeps as many values as the limits allow. It creates a value at its first use and evicts the least recently used one. It
 * closes an evicted value when the last user is done with it, so that it never interrupts running work. The value used last
 * stays, whatever its size. Concurrent first uses of one key create one value. It does not keep a value that failed.
 */
export class LeaseCache<V extends Closable> {
  readonly #limits: LeaseLimits<V>;
  /** Entries in the order of use; the last entry was used last. */
  readonly #entries = new Map<string, Entry<V>>();

  constructor(limits: LeaseLimits<V>) {
    this.#limits = limits;
  }

  /** The number of values, and the sum of their sizes. */
  get held(): { count: number; size: number } {
    return { count: this.#entries.size, size: this.#sizeOf(this.#entries.values()) };
  }

  async use<T>(key: string, make: () => Promise<V>, work: (value: V) => Promise<T>): Promise<T> {
    const entry = this.#entries.get(key) ?? { value: make(), made: undefined, users: 0, evicted: false };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    entry.users++;
    this.#shrink();
    try {
      entry.made = await entry.value.catch((error: unknown) => {
        if (this.#entries.get(key) === entry) this.#entries.delete(key);
        throw error;
      });
      return await work(entry.made);
    } finally {
      entry.users--;
      await closeIfDone(entry);
      this.#shrink();
    }
  }

  /** Evicts `value` if it is still the value of `key`. */
  async forget(key: string, value?: V): Promise<void> {
    const entry = this.#entries.get(key);
    if (entry && (value === undefined || entry.made === value)) await this.#evict(key, entry);
  }

  /** Evicts every value. */
  async close(): Promise<void> {
    await Promise.all(Array.from(this.#entries, ([key, entry]) => this.#evict(key, entry)));
  }

  #shrink(): void {
    const { capacity, budget = Infinity } = this.#limits;
    const earlier = [...this.#entries].slice(0, -1);
    // Evicting a value that is in use frees nothing yet.
    const idleFirst = earlier.toSorted(([, a], [, b]) => Number(a.users > 0) - Number(b.users > 0));
    for (const [key, entry] of idleFirst) {
      if (this.#entries.size <= capacity && this.held.size <= budget) return;
      void this.#evict(key, entry);
    }
  }

  async #evict(key: string, entry: Entry<V>): Promise<void> {
    this.#entries.delete(key);
    entry.evicted = true;
    await closeIfDone(entry);
  }

  #sizeOf(entries: Iterable<Entry<V>>): number {
    const { size = () => 0 } = this.#limits;
    let sum = 0;
    for (const { made } of entries) if (made !== undefined) sum += size(made);
    return sum;
  }
}

async function closeIfDone<V extends Closable>({ evicted, users, value }: Entry<V>): Promise<void> {
  if (!evicted || users > 0) return;
  const made = await value.catch(() => null);
  await made?.close().catch(() => undefined);
}
