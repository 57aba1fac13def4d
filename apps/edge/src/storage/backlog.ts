import { longestRun } from '../domain/run.ts';

/** Which computations wait or run, counted in D1 so that none need be woken. For scaling only: it may lag. */
export class Backlog {
  readonly #db: D1Database;

  constructor(db: D1Database) {
    this.#db = db;
  }

  async enter(key: string): Promise<void> {
    const since = new Date().toISOString();
    await this.#write(
      this.#db.prepare('INSERT OR REPLACE INTO active_flights (key, since) VALUES (?, ?)').bind(key, since),
    );
  }

  async leave(key: string): Promise<void> {
    await this.#write(this.#db.prepare('DELETE FROM active_flights WHERE key = ?').bind(key));
  }

  async count(): Promise<number> {
    const count = this.#db
      .prepare('SELECT count(*) AS n FROM active_flights WHERE since > ?')
      .bind(this.#oldest);
    return (await count.first<number>('n')) ?? 0;
  }

  /** Deletes at most `limit` rows of what has been forgotten. @returns how many */
  async prune(limit: number): Promise<number> {
    const { meta } = await this.#db
      .prepare(
        'DELETE FROM active_flights WHERE key IN (SELECT key FROM active_flights WHERE since <= ? LIMIT ?)',
      )
      .bind(this.#oldest, limit)
      .run();
    return meta.changes;
  }

  /** What has been here for longer than a computation can take has been forgotten, and does not count. */
  get #oldest(): string {
    return new Date(Date.now() - longestRun).toISOString();
  }

  async #write(statement: D1PreparedStatement): Promise<void> {
    await statement.run().catch((error: unknown) => console.error('backlog not updated', error));
  }
}
