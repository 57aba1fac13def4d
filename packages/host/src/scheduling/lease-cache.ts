/** A value that is expensive to create and must be closed. */
interface Closable {
  close(): Promise<void>;
}

interface Entry<V> {
  readonly value: Promise<V>;
  readonly owner: string;
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
 * Keeps as many values as the limits allow. It creates a value at its first use. If there are too many, it evicts the least
 * recently used one of the owner who has the most: values, or size where size is scarce. So an owner with many values does
 * not evict the only one of another. It closes an evicted value when the last user is done with it, so that it never
 * interrupts running work. The value used last stays, whatever its size. Concurrent first uses of one key create one value. It does not keep a value that failed.
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
    const size = [...this.#entries.values()].reduce((sum, { made }) => sum + this.#sizeOf(made), 0);
    return { count: this.#entries.size, size };
  }

  async use<T>(key: string, make: () => Promise<V>, work: (value: V) => Promise<T>, owner = ''): Promise<T> {
    const entry = this.#entries.get(key) ?? {
      ...{ value: make(), made: undefined, owner },
      ...{ users: 0, evicted: false },
    };
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
    for (;;) {
      const isCrowded = this.#entries.size > capacity;
      if (!isCrowded && this.held.size <= budget) return;
      const holding = new Map<string, number>();
      for (const { owner, made } of this.#entries.values())
        holding.set(owner, (holding.get(owner) ?? 0) + (isCrowded ? 1 : this.#sizeOf(made)));
      const [first] = [...this.#entries].slice(0, -1).toSorted(
        ([, a], [, b]) =>
          // Evicting a value that is in use frees nothing yet.
          Number(a.users > 0) - Number(b.users > 0) || holding.get(b.owner)! - holding.get(a.owner)!,
      );
      if (!first) return;
      void this.#evict(...first);
    }
  }

  async #evict(key: string, entry: Entry<V>): Promise<void> {
    this.#entries.delete(key);
    entry.evicted = true;
    await closeIfDone(entry);
  }

  #sizeOf(value: V | undefined): number {
    const { size = () => 0 } = this.#limits;
    return value === undefined ? 0 : size(value);
  }
}

async function closeIfDone<V extends Closable>({ evicted, users, value }: Entry<V>): Promise<void> {
  if (!evicted || users > 0) return;
  const made = await value.catch(() => null);
  await made?.close().catch(() => undefined);
}
