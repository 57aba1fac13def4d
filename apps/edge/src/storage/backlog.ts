/** The kinds of work that wait for a worker; `catalog` waits for the first worker that says which models there are. */
export type WorkKind = 'computation' | 'rendering' | 'validation' | 'warm-up' | 'catalog';

/** Milliseconds after which whoever waits refreshes its row. */
export const refreshTime = 60_000;
/** Milliseconds for which a row counts without a refresh. */
const rowLifetime = 5 * 60_000;

/**
 * Counts in D1 what waits for a worker or has one, so that no object must wake for it. For scaling only: it may lag. A row
 * leaves when its work ends. Should its owner be gone, the row counts until it has missed four refreshes.
 */
export class Backlog {
  readonly #db: D1Database;

  constructor(db: D1Database) {
    this.#db = db;
  }

  /** Adds a row, or refreshes it. */
  async enter(kind: WorkKind, key: string): Promise<void> {
    const expiresAt = Date.now() + rowLifetime;
    await this.#write('INSERT OR REPLACE INTO waiting_work (kind, key, expires_at) VALUES (?, ?, ?)', [
      kind,
      key,
      expiresAt,
    ]);
  }

  async leave(kind: WorkKind, key: string): Promise<void> {
    await this.#write('DELETE FROM waiting_work WHERE kind = ? AND key = ?', [kind, key]);
  }

  async count(): Promise<number> {
    const count = this.#db
      .prepare('SELECT count(*) AS n FROM waiting_work WHERE expires_at > ?')
      .bind(Date.now());
    return (await count.first<number>('n')) ?? 0;
  }

  /** Deletes at most `limit` rows that have expired. @returns how many */
  async prune(limit: number): Promise<number> {
    const { meta } = await this.#db
      .prepare(
        'DELETE FROM waiting_work WHERE rowid IN (SELECT rowid FROM waiting_work WHERE expires_at <= ? LIMIT ?)',
      )
      .bind(Date.now(), limit)
      .run();
    return meta.changes;
  }

  /** The work itself goes on without a database. */
  async #write(statement: string, values: readonly (string | number)[]): Promise<void> {
    try {
      await this.#db
        .prepare(statement)
        .bind(...values)
        .run();
    } catch (error) {
      console.error('backlog not updated', error);
    }
  }
}
