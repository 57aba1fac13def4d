import type { Capacity } from './fair-queue.ts';

/** Limits how many things are in use at a time, each by any number of tasks; a task claims the key of its thing. */
export class KeyedSlots implements Capacity<string> {
  readonly #slots: number;
  /** Number of tasks by the thing that they use. */
  readonly #users = new Map<string, number>();

  constructor(slots: number) {
    this.#slots = slots;
  }

  fits(key: string): boolean {
    return this.#users.has(key) || this.#users.size < this.#slots;
  }

  take(key: string): void {
    this.#users.set(key, (this.#users.get(key) ?? 0) + 1);
  }

  release(key: string): void {
    const left = this.#users.get(key)! - 1;
    if (left > 0) this.#users.set(key, left);
    else this.#users.delete(key);
  }
}
