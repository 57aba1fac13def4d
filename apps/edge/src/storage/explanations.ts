import type { Boarding } from '../domain/flight.ts';

/** A request for an explanation and the run that answers it. */
export interface ExplanationRow {
  readonly id: string;
  readonly tenant: string;
  readonly key: string;
  readonly run: number;
  readonly cache_status: Boarding['via'];
  readonly model_name: string;
  readonly request_id: string;
  readonly created_at: string;
}

export class Explanations {
  readonly #db: D1Database;

  constructor(db: D1Database) {
    this.#db = db;
  }

  /** Made once: under an id that is there already, what is there is the answer. */
  async create(given: Omit<ExplanationRow, 'created_at'>): Promise<ExplanationRow> {
    const row: ExplanationRow = { ...given, created_at: new Date().toISOString() };
    const { meta } = await this.#db
      .prepare(
        'INSERT OR IGNORE INTO explanations (id, tenant, key, run, cache_status, model_name, request_id, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      )
      .bind(
        row.id,
        row.tenant,
        row.key,
        row.run,
        row.cache_status,
        row.model_name,
        row.request_id,
        row.created_at,
      )
      .run();
    return meta.changes > 0 ? row : ((await this.find(row.tenant, row.id)) ?? row);
  }

  find(tenant: string, id: string): Promise<ExplanationRow | null> {
    return this.#db
      .prepare('SELECT * FROM explanations WHERE tenant = ? AND id = ?')
      .bind(tenant, id)
      .first();
  }

  async delete(tenant: string, id: string): Promise<void> {
    await this.#db.prepare('DELETE FROM explanations WHERE tenant = ? AND id = ?').bind(tenant, id).run();
  }

  /** Newest first, after the id `after`. */
  async list(tenant: string, limit: number, after: string | null): Promise<ExplanationRow[]> {
    const { results } = await this.#db
      .prepare('SELECT * FROM explanations WHERE tenant = ? AND id < ? ORDER BY id DESC LIMIT ?')
      .bind(tenant, after ?? '~', limit)
      .all<ExplanationRow>();
    return results;
  }
}
