interface Waiting {
  readonly key: string;
  readonly enter: () => void;
}

/**
 * So many things may be worked with at a time, each by as many as like. Who comes waits in order, behind those for
 * other things too: nobody's thing is held for ever by those who keep coming for it.
 */
export class Places {
  readonly #count: number;
  /** By what is worked with: by how many. */
  readonly #users = new Map<string, number>();
  readonly #waiting: Waiting[] = [];

  constructor(count: number) {
    this.#count = count;
  }

  /** @throws the signal's reason when it is aborted before there is a place */
  async hold<T>(key: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    await new Promise<void>((enter, reject) => {
      const admitted = () => {
        signal.removeEventListener('abort', leave);
        enter();
      };
      const waiting = { key, enter: admitted };
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        reject(signal.reason);
        this.#admit();
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.push(waiting);
      this.#admit();
    });
    try {
      return await work();
    } finally {
      const left = this.#users.get(key)! - 1;
      if (left > 0) this.#users.set(key, left);
      else this.#users.delete(key);
      this.#admit();
    }
  }

  #admit(): void {
    for (let [first] = this.#waiting; first; [first] = this.#waiting) {
      const users = this.#users.get(first.key) ?? 0;
      if (users === 0 && this.#users.size >= this.#count) return;
      this.#waiting.shift();
      this.#users.set(first.key, users + 1);
      first.enter();
    }
  }
}
