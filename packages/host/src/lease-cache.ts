/** What costs to make and must be closed. */
interface Closable {
  close(): Promise<void>;
}

interface Entry<V> {
  readonly value: Promise<V>;
  users: number;
  evicted: boolean;
}

/**
 * At most `capacity` values, made on first use, the least recently used one given up first. A value is closed when
 * it has been given up and its last user is done with it, so that work under way is never cut off. Concurrent first
 * uses of one key make one value; one that failed to be made is forgotten.
 */
export class LeaseCache<V extends Closable> {
  readonly #capacity: number;
  /** In order of use, the latest last. */
  readonly #entries = new Map<string, Entry<V>>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  async use<T>(key: string, make: () => Promise<V>, work: (value: V) => Promise<T>): Promise<T> {
    const entry = this.#entries.get(key) ?? { value: make(), users: 0, evicted: false };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    entry.users++;
    void Promise.allSettled(this.#shrinkTo(this.#capacity));
    try {
      const value = await entry.value.catch((error: unknown) => {
        if (this.#entries.get(key) === entry) this.#entries.delete(key);
        throw error;
      });
      return await work(value);
    } finally {
      entry.users--;
      await closeIfDone(entry);
    }
  }

  /** Gives up every value. */
  async close(): Promise<void> {
    await Promise.all(this.#shrinkTo(0));
  }

  #shrinkTo(count: number): Promise<void>[] {
    const oldest = [...this.#entries].slice(0, Math.max(this.#entries.size - count, 0));
    return oldest.map(([key, entry]) => {
      this.#entries.delete(key);
      entry.evicted = true;
      return closeIfDone(entry);
    });
  }
}

async function closeIfDone<V extends Closable>({ evicted, users, value }: Entry<V>): Promise<void> {
  if (!evicted || users > 0) return;
  const made = await value.catch(() => null);
  await made?.close();
}
