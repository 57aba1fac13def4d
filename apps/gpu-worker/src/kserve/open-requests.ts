import { Stopped } from './refusal.ts';

/** The requests that are being read and answered. */
export class OpenRequests {
  readonly #most: number;
  readonly #milliseconds: number;
  readonly #stop = new AbortController();
  #open = 0;
  #closed = false;
  #idle = Promise.withResolvers<void>();

  /** @param most requests at a time. @param seconds longest time for one request */
  constructor(most: number, seconds: number) {
    this.#most = most;
    this.#milliseconds = seconds * 1000;
  }

  get isFull(): boolean {
    return this.#open >= this.#most;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** Answers one request, with a signal that says when nobody waits for the answer any more. */
  async run<T>(sender: AbortSignal, answer: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.#open++;
    // Unlike AbortSignal.timeout, this one lets go of the request as soon as it is answered.
    const late = new AbortController();
    const timer = setTimeout(
      () => late.abort(new DOMException('too late', 'TimeoutError')),
      this.#milliseconds,
    );
    try {
      return await answer(AbortSignal.any([sender, late.signal, this.#stop.signal]));
    } finally {
      clearTimeout(timer);
      this.#open--;
      if (this.#closed && this.#open === 0) this.#idle.resolve();
    }
  }

  /** Takes no more requests, and waits for the open ones; after so many milliseconds it gives up the rest. */
  async close(milliseconds: number): Promise<void> {
    this.#closed = true;
    if (this.#open === 0) return;
    const timer = setTimeout(() => this.#stop.abort(new Stopped('the worker is stopping')), milliseconds);
    await this.#idle.promise;
    clearTimeout(timer);
  }
}
