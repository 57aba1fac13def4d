/** Requests by what they are for: a newer one ends the older one, and every one has a number of its own. */
export class Requests {
  #last = 0;
  readonly #running = new Map<string, AbortController>();

  start(purpose: string): { readonly request: number; readonly signal: AbortSignal } {
    this.stop(purpose);
    const controller = new AbortController();
    this.#running.set(purpose, controller);
    return { request: ++this.#last, signal: controller.signal };
  }

  stop(purpose: string): void {
    this.#running.get(purpose)?.abort(new DOMException('A newer request replaces this one.', 'AbortError'));
    this.#running.delete(purpose);
  }
}
