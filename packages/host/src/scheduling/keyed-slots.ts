import { type Capacity, leavePlaces, type Share } from './fair-queue.ts';

/** Limits how many things are in use at a time, each by any number of tasks of its owner; a task claims the key of its thing. */
export class KeyedSlots implements Capacity<string> {
  readonly #slots: number;
  /** Tasks that use a thing, by its key. */
  readonly #uses = new Map<string, { readonly owner: string; tasks: number }>();

  constructor(slots: number) {
    this.#slots = slots;
  }

  fits(key: string): boolean {
    return this.#uses.has(key) || this.#uses.size < this.#slots;
  }

  take(key: string, owner: string): void {
    const use = this.#uses.get(key);
    if (use) use.tasks++;
    else this.#uses.set(key, { owner, tasks: 1 });
  }

  release(key: string): void {
    const use = this.#uses.get(key)!;
    use.tasks--;
    if (use.tasks === 0) this.#uses.delete(key);
  }

  /** The same as `leavePlaces`, of slots: a task that uses what is in use takes none. */
  leaveSlots(greed: number): Share<string> {
    const share = leavePlaces(this.#slots, greed);
    return (_own, _all, task) => {
      if (this.#uses.has(task.claim)) return true;
      const own = [...this.#uses.values()].filter(({ owner }) => owner === task.owner).length;
      return share(own, this.#uses.size, task);
    };
  }
}
