import { longestRun } from '../domain/run.ts';

/** Counts in D1 which computations wait or run, so that no object must wake for it. For scaling only: it may lag. */
export class Backlog {
  readonly #db: D1Database;

  constructor(db: D1Database) {
    this.#db = db;
  }

  async enter(key: string): Promise<void> {
    const since = new Date().toISOString();
    await this.#write(
      this.#db
        .prepare('INSERT OR REPLACE INTO active_computations (key, since) VALUES (?, ?)')
        .bind(key, since),
    );
  }

  async leave(key: string): Promise<void> {
    await this.#write(this.#db.prepare('DELETE FROM active_computations WHERE key = ?').bind(key));
  }

  async count(): Promise<number> {
    const count = this.#db
      .prepare('SELECT count(*) AS n FROM active_computations WHERE since > ?')
      .bind(this.#oldest);
    return (await count.first<number>('n')) ?? 0;
  }

  /** Deletes at most `limit` rows that are too old to count. @returns how many */
  async prune(limit: number): Promise<number> {
    const { meta } = await this.#db
      .prepare(
        'DELETE FROM active_computations WHERE key IN (SELECT key FROM active_computations WHERE since <= ? LIMIT ?)',
      )
      .bind(this.#oldest, limit)
      .run();
    return meta.changes;
  }

  /** Rows from before this time do not count: no run takes so long. */
  get #oldest(): string {
    return new Date(Date.now() - longestRun).toISOString();
  }

  async #write(statement: D1PreparedStatement): Promise<void> {
    await statement.run().catch((error: unknown) => console.error('backlog not updated', error));
  }
}
