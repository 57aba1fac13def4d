import type { Capacity } from './fair-queue.ts';

/**
 * A number of units, such as pixels in memory or jobs at a time, of which each task claims some. A task that claims more
 * than there are in all gets all of them, and runs alone.
 */
export class Budget implements Capacity<number> {
  readonly #units: number;
  #taken = 0;

  constructor(units: number) {
    this.#units = units;
  }

  fits(claim: number): boolean {
    return this.#taken + this.#bounded(claim) <= this.#units;
  }

  take(claim: number): void {
    this.#taken += this.#bounded(claim);
  }

  release(claim: number): void {
    this.#taken -= this.#bounded(claim);
  }

  #bounded(claim: number): number {
    return Math.min(claim, this.#units);
  }
}
