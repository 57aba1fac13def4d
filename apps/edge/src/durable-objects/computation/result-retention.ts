/** Results on the shelf, by the number of their run. */
interface Place {
  /** Until when it is kept (unix milliseconds). */
  readonly until: number;
  /** When the stored bytes were last seen to be what was written. */
  readonly checkedAt: number;
}

/** Milliseconds for which stored bytes are trusted without another look. */
const trust = 10 * 60_000;
/** Times are kept by whole hours, so that of many hits few have anything to write. */
const hour = 3_600_000;

/** Until when the results of a computation are kept, and when they were last looked at. Survives its object. */
export class Shelf {
  readonly #storage: DurableObjectStorage;
  #places: Readonly<Record<number, Place>> = {};
  #latest = 0;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  async load(): Promise<void> {
    this.#places = (await this.#storage.get<Record<number, Place>>('shelf')) ?? {};
    this.#latest = (await this.#storage.get<number>('latest')) ?? 0;
  }

  /** The latest time until which anything was to be kept here, whatever has become of it. */
  get latest(): number {
    return this.#latest;
  }

  /** When the next result is to go. */
  get due(): number {
    return Math.min(Infinity, ...Object.values(this.#places).map(({ until }) => until));
  }

  /** What has only just been made is not on the shelf yet. */
  holds(run: number, now: number): boolean {
    return (this.#places[run]?.until ?? Infinity) > now;
  }

  isTrusted(run: number, now: number): boolean {
    return (this.#places[run]?.checkedAt ?? Infinity) + trust > now;
  }

  /** Runs whose time is over. */
  over(now: number): number[] {
    return Object.keys(this.#places)
      .map(Number)
      .filter((run) => !this.holds(run, now));
  }

  /** Keeps a result for longer, if it is not kept so long already. */
  async keep(run: number, until: number): Promise<void> {
    const rounded = Math.ceil(until / hour) * hour;
    await this.remember(rounded);
    const place = this.#places[run];
    if (place && place.until >= rounded) return;
    await this.#put(run, { until: rounded, checkedAt: place?.checkedAt ?? Date.now() });
  }

  /** Something was to be kept until then. */
  async remember(until: number): Promise<void> {
    if (until <= this.#latest) return;
    this.#latest = until;
    await this.#storage.put('latest', until);
  }

  async trust(run: number): Promise<void> {
    const place = this.#places[run];
    if (place) await this.#put(run, { ...place, checkedAt: Date.now() });
  }

  async remove(run: number): Promise<void> {
    const { [run]: removed, ...rest } = this.#places;
    if (!removed) return;
    this.#places = rest;
    await this.#storage.put('shelf', rest);
  }

  async #put(run: number, place: Place): Promise<void> {
    this.#places = { ...this.#places, [run]: place };
    await this.#storage.put('shelf', this.#places);
  }
}
