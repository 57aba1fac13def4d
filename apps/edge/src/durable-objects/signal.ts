/** Wakes all who wait for a change. */
export class Signal {
  readonly #waiting = new Set<() => void>();

  /** Resolves at the next notification, or after `milliseconds`. */
  wait(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, milliseconds);
      this.#waiting.add(done);
    });
  }

  notify(): void {
    for (const done of [...this.#waiting]) done();
  }
}
