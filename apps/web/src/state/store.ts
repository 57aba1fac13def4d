import { changed } from './changed.ts';
import type { Change } from './changes.ts';
import type { Session } from './session.ts';

/** The page's one session, and those who draw it. */
export class Store {
  #session: Session;
  readonly #listeners = new Set<() => void>();

  constructor(session: Session) {
    this.#session = session;
  }

  get session(): Session {
    return this.#session;
  }

  change(change: Change): void {
    this.#session = changed(this.#session, change);
    for (const listener of this.#listeners) listener();
  }

  /** Calls `listener` after each change, until the returned function is called. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
