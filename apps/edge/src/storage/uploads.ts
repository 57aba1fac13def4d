import type { Upload, UploadRequest } from '@whylight/contract';
import { newId, ulid } from '../domain/ulid.ts';
import type { ObjectNames } from './object-names.ts';

export interface UploadRow {
  readonly id: string;
  readonly tenant: string;
  /** Name in the object store, made when the row was: nothing of it comes from the client. */
  readonly object: string;
  readonly content_type: string;
  readonly content_length: number;
  readonly sha256: string;
  readonly created_at: string;
  /** The status that the cleanup found after a day; null before. */
  readonly final_status: Upload['status'] | null;
}

/** The columns of a row; `swept` is the name that the status has in the database. */
const columns = 'id, tenant, object, content_type, content_length, sha256, created_at, swept AS final_status';

/** Uploads whose hash an isolate remembers. */
const most = 1000;

/** The uploads that tenants have announced, in D1. Only the object store knows whether their bytes have arrived. */
export class Uploads {
  readonly #db: D1Database;
  readonly #names: ObjectNames;
  /** Hashes by tenant and id; the hashes learnt last are at the end. They never change. */
  readonly #contents = new Map<string, string>();

  constructor(db: D1Database, names: ObjectNames) {
    this.#db = db;
    this.#names = names;
  }

  async create(tenant: string, request: UploadRequest): Promise<UploadRow> {
    const id = newId('upl');
    const row: UploadRow = {
      id,
      tenant,
      object: await this.#names.upload(tenant, id),
      ...request,
      created_at: new Date().toISOString(),
      final_status: null,
    };
    await this.#db
      .prepare(
        'INSERT INTO uploads (id, tenant, object, content_type, content_length, sha256, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
      )
      .bind(id, tenant, row.object, row.content_type, row.content_length, row.sha256, row.created_at)
      .run();
    return row;
  }

  find(tenant: string, id: string): Promise<UploadRow | null> {
    return this.#db
      .prepare(`SELECT ${columns} FROM uploads WHERE tenant = ? AND id = ?`)
      .bind(tenant, id)
      .first();
  }

  /**
   * The hash that upload `id` announced; null if there is no such upload. An isolate remembers it, also after another one
   * has deleted the upload: a caller that depends on the upload must check that it still exists.
   */
  async findHash(tenant: string, id: string): Promise<string | null> {
    const place = `${tenant}/${id}`;
    const known = this.#contents.get(place);
    if (known !== undefined) return known;
    const row = await this.find(tenant, id);
    if (!row) return null;
    this.#contents.set(place, row.sha256);
    if (this.#contents.size > most) this.#contents.delete(this.#contents.keys().next().value!);
    return row.sha256;
  }

  async delete(tenant: string, id: string): Promise<void> {
    this.#contents.delete(`${tenant}/${id}`);
    await this.#db.prepare('DELETE FROM uploads WHERE tenant = ? AND id = ?').bind(tenant, id).run();
  }

  /** The oldest uploads whose final status is not known. */
  async listUnchecked(tenant: string, limit: number): Promise<UploadRow[]> {
    const { results } = await this.#db
      .prepare(
        `SELECT ${columns} FROM uploads WHERE tenant = ? AND swept IS NULL ORDER BY created_at LIMIT ?`,
      )
      .bind(tenant, limit)
      .all<UploadRow>();
    return results;
  }

  async recordStatus({ tenant, id }: UploadRow, status: Upload['status']): Promise<void> {
    await this.#db
      .prepare('UPDATE uploads SET swept = ? WHERE tenant = ? AND id = ?')
      .bind(status, tenant, id)
      .run();
  }

  /** Deletes at most `limit` rows, of any tenant, that were announced before `time` and whose bytes never came. @returns how many */
  async prune(time: number, limit: number): Promise<number> {
    const { meta } = await this.#db
      .prepare(
        "DELETE FROM uploads WHERE id IN (SELECT id FROM uploads WHERE swept IN ('expired', 'rejected') AND id < ? LIMIT ?)",
      )
      .bind(`upl_${ulid(time).slice(0, 10)}`, limit)
      .run();
    return meta.changes;
  }

  /** Uploads of the same bytes by the same tenant, newest first. */
  async listByHash(tenant: string, sha256: string): Promise<UploadRow[]> {
    const { results } = await this.#db
      .prepare(
        `SELECT ${columns} FROM uploads WHERE tenant = ? AND sha256 = ? AND coalesce(swept, 'ready') = 'ready' ORDER BY id DESC LIMIT 5`,
      )
      .bind(tenant, sha256)
      .all<UploadRow>();
    return results;
  }
}
