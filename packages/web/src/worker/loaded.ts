/** Loaded values that are kept for the next call, the latest last. A new value beyond the capacity ends the oldest. */
export class Loaded<T extends { close(): Promise<void> }> {
  readonly #capacity: number;
  readonly #kept = new Map<string, T>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  async get(key: string, load: () => Promise<T>): Promise<T> {
    const known = this.#kept.get(key);
    this.#kept.delete(key);
    const [oldest] = this.#kept.keys();
    if (oldest !== undefined && this.#kept.size >= this.#capacity) await this.#end(oldest);
    const loaded = known ?? (await load());
    this.#kept.set(key, loaded);
    return loaded;
  }

  /** Ends all values whose keys begin with `prefix`. */
  async end(prefix: string): Promise<void> {
    for (const key of [...this.#kept.keys()]) if (key.startsWith(prefix)) await this.#end(key);
  }

  async #end(key: string): Promise<void> {
    const loaded = this.#kept.get(key);
    this.#kept.delete(key);
    await loaded?.close();
  }
}
