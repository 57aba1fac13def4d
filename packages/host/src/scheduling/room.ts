interface Waiting {
  readonly size: number;
  readonly enter: () => void;
}

/** Room for work by its size: what does not fit waits, in order. What is larger than the room has it alone. */
export class Room {
  readonly #size: number;
  #free: number;
  readonly #waiting: Waiting[] = [];

  constructor(size: number) {
    this.#size = size;
    this.#free = size;
  }

  async hold<T>(size: number, work: () => Promise<T>): Promise<T> {
    const taken = Math.min(size, this.#size);
    await new Promise<void>((enter) => {
      this.#waiting.push({ size: taken, enter });
      this.#admit();
    });
    try {
      return await work();
    } finally {
      this.#free += taken;
      this.#admit();
    }
  }

  #admit(): void {
    for (let [first] = this.#waiting; first && first.size <= this.#free; [first] = this.#waiting) {
      this.#waiting.shift();
      this.#free -= first.size;
      first.enter();
    }
  }
}
