import type { Explanation, Style } from '@whylight/contract';
import type { Admission } from '../domain/run.ts';

/** A request for an explanation and the run that answers it. */
export interface ExplanationRow {
  readonly id: string;
  readonly tenant: string;
  readonly key: string;
  readonly run: number;
  readonly cache_status: Admission['via'];
  readonly model_name: string;
  /** Null in rows from before models had ids. */
  readonly model_id: string | null;
  readonly request_id: string;
  readonly created_at: string;
  readonly expires_at: string;
  /** Null in rows of an earlier release: then it is the run's own style. */
  readonly style: Style | null;
  readonly metadata: Explanation['metadata'];
}

/** A row as the database holds it: its style has the column name of earlier releases. */
interface StoredRow extends Omit<ExplanationRow, 'style' | 'metadata'> {
  readonly look: string | null;
  readonly metadata: string | null;
}

export class Explanations {
  readonly #db: D1Database;

  constructor(db: D1Database) {
    this.#db = db;
  }

  /**
   * Creates a row once: if the id exists, the answer is the row that exists. The row of an unresolved explanation gets its
   * computation. Null if the row depends on `upload`, and that upload has been deleted.
   */
  async create(
    fields: Omit<ExplanationRow, 'created_at'>,
    upload: string | null,
  ): Promise<ExplanationRow | null> {
    const row: ExplanationRow = { ...fields, created_at: new Date().toISOString() };
    const created_at = await this.#db
      .prepare(
        'INSERT INTO explanations (id, tenant, key, run, cache_status, model_name, model_id, request_id, created_at, expires_at, look, metadata) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12 WHERE ?13 IS NULL OR EXISTS (SELECT 1 FROM uploads WHERE tenant = ?2 AND id = ?13) ON CONFLICT (id) DO UPDATE SET key = excluded.key, run = excluded.run, cache_status = excluded.cache_status, model_name = excluded.model_name, model_id = excluded.model_id WHERE explanations.run = 0 RETURNING created_at',
      )
      .bind(
        row.id,
        row.tenant,
        row.key,
        row.run,
        row.cache_status,
        row.model_name,
        row.model_id,
        row.request_id,
        row.created_at,
        row.expires_at,
        JSON.stringify(row.style),
        JSON.stringify(row.metadata),
        upload,
      )
      .first<string>('created_at');
    return created_at === null ? this.find(row.tenant, row.id) : { ...row, created_at };
  }

  async find(tenant: string, id: string): Promise<ExplanationRow | null> {
    const row = await this.#db
      .prepare('SELECT * FROM explanations WHERE tenant = ? AND id = ?')
      .bind(tenant, id)
      .first<StoredRow>();
    return row && rowOf(row);
  }

  async delete(tenant: string, id: string): Promise<void> {
    await this.#db.prepare('DELETE FROM explanations WHERE tenant = ? AND id = ?').bind(tenant, id).run();
  }

  /**
   * Deletes at most `limit` rows, of any tenant, whose results expired before `time`. The row that owns a result stays as
   * long as other rows depend on it, because a tenant deletes the result by deleting that row.
   *
   * @returns how many were deleted
   */
  async prune(time: string, limit: number): Promise<number> {
    const { meta } = await this.#db
      .prepare(
        `DELETE FROM explanations WHERE id IN (
           SELECT id FROM explanations AS old WHERE expires_at < ?1 AND (cache_status = 'hit' OR NOT EXISTS (
             SELECT 1 FROM explanations WHERE key = old.key AND run = old.run AND expires_at >= ?1))
           LIMIT ?2)`,
      )
      .bind(time, limit)
      .run();
    return meta.changes;
  }

  /** Newest first, after the id `after`. */
  async list(tenant: string, limit: number, after: string | null): Promise<ExplanationRow[]> {
    const { results } = await this.#db
      .prepare('SELECT * FROM explanations WHERE tenant = ? AND id < ? ORDER BY id DESC LIMIT ?')
      .bind(tenant, after ?? '~', limit)
      .all<StoredRow>();
    return results.map(rowOf);
  }
}

const rowOf = ({ look, metadata, ...row }: StoredRow): ExplanationRow => ({
  ...row,
  style: look === null ? null : (JSON.parse(look) as Style | null),
  metadata: JSON.parse(metadata ?? '{}') as Explanation['metadata'],
});
