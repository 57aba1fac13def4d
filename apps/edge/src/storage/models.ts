import type { Model, ModelError, ModelFacts, ModelReport } from '@whylight/contract';
import type { ModelAllowance, ModelRow } from '../domain/model.ts';

type Stored = {
  readonly [K in keyof ModelRow]: ModelRow[K] extends object | null ? string | null : ModelRow[K];
};

/** The columns of a new model that a request gives. */
export type NewModel = Pick<
  ModelRow,
  'id' | 'tenant' | 'name' | 'sha256' | 'content_length' | 'manifest' | 'manifest_sha256' | 'object'
>;

/** All columns but the report, which only requests for it need. */
const brief =
  'id, tenant, name, sha256, content_length, manifest, manifest_sha256, object, upload_id, status, facts, NULL AS report, error, created_at';

/** The models that tenants have brought, in D1. */
export class Models {
  readonly #db: D1Database;

  constructor(db: D1Database) {
    this.#db = db;
  }

  /** The same request gives the same row. @returns null when the tenant has no room for another */
  async register(model: NewModel, { models, total }: ModelAllowance): Promise<ModelRow | null> {
    const { id, tenant, name, sha256, content_length, manifest, manifest_sha256, object } = model;
    await this.#db
      .prepare(
        `INSERT OR IGNORE INTO models
           (id, tenant, name, sha256, content_length, manifest, manifest_sha256, object, status, created_at)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'pending', ?9
         WHERE (SELECT count(*) < ?10 AND coalesce(sum(content_length), 0) + ?5 <= ?11 FROM models WHERE tenant = ?2)`,
      )
      .bind(
        ...[id, tenant, name, sha256, content_length, JSON.stringify(manifest), manifest_sha256, object],
        ...[new Date().toISOString(), models, total],
      )
      .run();
    return this.#one(
      `SELECT ${brief} FROM models WHERE tenant = ? AND name = ? AND sha256 = ? AND manifest_sha256 = ?`,
      [tenant, name, sha256, manifest_sha256],
    );
  }

  find(tenant: string, id: string): Promise<ModelRow | null> {
    return this.#one('SELECT * FROM models WHERE tenant = ? AND id = ?', [tenant, id]);
  }

  /** Finds the newest ready model of this name (and digest), else the newest. */
  findNamed(tenant: string, name: string, sha256: string | null): Promise<ModelRow | null> {
    return this.#one(
      `SELECT ${brief} FROM models WHERE tenant = ?1 AND name = ?2 AND (?3 IS NULL OR sha256 = ?3)
       ORDER BY status = 'ready' DESC, id DESC LIMIT 1`,
      [tenant, name, sha256],
    );
  }

  async names(tenant: string): Promise<string[]> {
    const { results } = await this.#db
      .prepare('SELECT DISTINCT name FROM models WHERE tenant = ?')
      .bind(tenant)
      .all<{ name: string }>();
    return results.map(({ name }) => name);
  }

  /** Newest first, after the id `after`, without reports. */
  async list(tenant: string, limit: number, after: string | null): Promise<ModelRow[]> {
    const { results } = await this.#db
      .prepare(`SELECT ${brief} FROM models WHERE tenant = ? AND id < ? ORDER BY id DESC LIMIT ?`)
      .bind(tenant, after ?? '~', limit)
      .all<Stored>();
    return results.map(rowOf);
  }

  /** Makes this the upload under way, unless another request was quicker. @returns the upload under way */
  async beginUpload(id: string, uploadId: string): Promise<string | null> {
    await this.#db
      .prepare("UPDATE models SET upload_id = ? WHERE id = ? AND status = 'pending' AND upload_id IS NULL")
      .bind(uploadId, id)
      .run();
    return this.#db.prepare('SELECT upload_id FROM models WHERE id = ?').bind(id).first<string>('upload_id');
  }

  /** Changes the status `from` to `to`, and deletes earlier findings. @returns whether it was `from` */
  async move(id: string, from: Model['status'], to: Model['status']): Promise<boolean> {
    const { meta } = await this.#db
      .prepare(
        'UPDATE models SET status = ?, upload_id = NULL, facts = NULL, report = NULL, error = NULL WHERE id = ? AND status = ?',
      )
      .bind(to, id, from)
      .run();
    return meta.changes > 0;
  }

  async markReady(id: string, facts: ModelFacts, report: ModelReport): Promise<void> {
    await this.#db
      .prepare(
        "UPDATE models SET status = 'ready', facts = ?, report = ? WHERE id = ? AND status = 'validating'",
      )
      .bind(JSON.stringify(facts), JSON.stringify(report), id)
      .run();
  }

  /** Replaces the facts and the report of a model that is ready. */
  async refresh(id: string, facts: ModelFacts, report: ModelReport | null): Promise<void> {
    await this.#db
      .prepare("UPDATE models SET facts = ?, report = ? WHERE id = ? AND status = 'ready'")
      .bind(JSON.stringify(facts), report && JSON.stringify(report), id)
      .run();
  }

  async reject(id: string, error: ModelError): Promise<void> {
    await this.#db
      .prepare("UPDATE models SET status = 'rejected', error = ? WHERE id = ? AND status = 'validating'")
      .bind(JSON.stringify(error), id)
      .run();
  }

  async delete(tenant: string, id: string): Promise<void> {
    await this.#db.prepare('DELETE FROM models WHERE tenant = ? AND id = ?').bind(tenant, id).run();
  }

  async #one(query: string, values: readonly (string | null)[]): Promise<ModelRow | null> {
    const row = await this.#db
      .prepare(query)
      .bind(...values)
      .first<Stored>();
    return row && rowOf(row);
  }
}

function rowOf(row: Stored): ModelRow {
  const read = (text: string | null) => (text === null ? null : JSON.parse(text));
  return {
    ...row,
    manifest: read(row.manifest),
    facts: read(row.facts),
    report: read(row.report),
    error: read(row.error),
  };
}
