interface KeptResult {
  /** Until when the result is kept (unix milliseconds). */
  readonly until: number;
  /** When the stored bytes were last found to be intact. */
  readonly checkedAt: number;
}

/** Milliseconds for which stored bytes count as intact without another check. */
const trustTime = 10 * 60_000;
/** Times are rounded up to whole hours, so that few of many hits have to write anything. */
const hour = 3_600_000;

/** Until when the results of a computation are kept, and when their bytes were last checked. Survives its object. */
export class ResultRetention {
  readonly #storage: DurableObjectStorage;
  /** Kept results by the number of their run. */
  #results: Readonly<Record<number, KeptResult>> = {};
  #latest = 0;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  async load(): Promise<void> {
    this.#results = (await this.#storage.get<Record<number, KeptResult>>('retention')) ?? {};
    this.#latest = (await this.#storage.get<number>('latest')) ?? 0;
  }

  /** The latest time until which any result was to be kept here, deleted ones included. */
  get latest(): number {
    return this.#latest;
  }

  /** When the next result expires. */
  get due(): number {
    return Math.min(Infinity, ...Object.values(this.#results).map(({ until }) => until));
  }

  /** Whether a result is still kept; a run that has only just ended has no entry yet. */
  holds(run: number, now: number): boolean {
    return (this.#results[run]?.until ?? Infinity) > now;
  }

  isTrusted(run: number, now: number): boolean {
    return (this.#results[run]?.checkedAt ?? Infinity) + trustTime > now;
  }

  /** Runs whose results have expired. */
  expired(now: number): number[] {
    return Object.keys(this.#results)
      .map(Number)
      .filter((run) => !this.holds(run, now));
  }

  /** Keeps a result at least until then. */
  async keep(run: number, until: number): Promise<void> {
    const rounded = Math.ceil(until / hour) * hour;
    await this.remember(rounded);
    const result = this.#results[run];
    if (result && result.until >= rounded) return;
    await this.#put(run, { until: rounded, checkedAt: result?.checkedAt ?? Date.now() });
  }

  /** Remembers that a result was to be kept until then. */
  async remember(until: number): Promise<void> {
    if (until <= this.#latest) return;
    this.#latest = until;
    await this.#storage.put('latest', until);
  }

  /** Remembers that the stored bytes have just been found to be intact. */
  async trust(run: number): Promise<void> {
    const result = this.#results[run];
    if (result) await this.#put(run, { ...result, checkedAt: Date.now() });
  }

  async remove(run: number): Promise<void> {
    const { [run]: removed, ...rest } = this.#results;
    if (!removed) return;
    this.#results = rest;
    await this.#storage.put('retention', rest);
  }

  async #put(run: number, result: KeptResult): Promise<void> {
    this.#results = { ...this.#results, [run]: result };
    await this.#storage.put('retention', this.#results);
  }
}
