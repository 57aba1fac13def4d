import { OutOfMemoryError } from '../errors.ts';

/**
 * The number of rows that a run takes at once. If the device has no memory for so many, the number is halved for good,
 * down to one, so that the next image does not fail first.
 */
export class Chunk {
  #rows: number;
  readonly #fixed: boolean;

  /** `fixed`: the graph takes exactly this number of rows. */
  constructor(rows: number, fixed = false) {
    this.#rows = rows;
    this.#fixed = fixed;
  }

  get rows(): number {
    return this.#rows;
  }

  /** Does [0, rows), [rows, 2·rows), … up to `count`. @throws OutOfMemoryError if a single row is too much */
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
