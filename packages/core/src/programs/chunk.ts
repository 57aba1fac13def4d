import { OutOfMemoryError } from '../errors.ts';

/**
 * How many rows a run takes at once. Where the device has no room for that many, it is halved for good, down to one:
 * the next image is not to fail first.
 */
export class Chunk {
  #rows: number;
  readonly #fixed: boolean;

  /** `fixed`: the graph takes this many and no fewer. */
  constructor(rows: number, fixed = false) {
    this.#rows = rows;
    this.#fixed = fixed;
  }

  /** Does [0, rows), [rows, 2·rows), … up to `count`. @throws OutOfMemoryError where a single row is too much */
  async over(count: number, work: (start: number, end: number) => Promise<void>): Promise<void> {
    for (let start = 0; start < count; ) {
      const end = Math.min(start + this.#rows, count);
      try {
        await work(start, end);
        start = end;
      } catch (error) {
        if (!(error instanceof OutOfMemoryError) || this.#fixed || end - start === 1) throw error;
        this.#rows = Math.min(this.#rows, Math.ceil((end - start) / 2));
      }
    }
  }
}
