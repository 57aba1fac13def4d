import { newId } from '../domain/ulid.ts';

export interface EndpointRow {
  readonly id: string;
  readonly tenant: string;
  readonly url: string;
  readonly status: 'enabled' | 'disabled';
  readonly disabled_reason: string | null;
  /** Which of the endpoint's secrets signs. */
  readonly generation: number;
  /** Until when the secret before it signs too. */
  readonly previous_until: string | null;
  readonly created_at: string;
}

/** The webhook endpoints of tenants, in D1. */
export class WebhookEndpoints {
  readonly #db: D1Database;

  constructor(db: D1Database) {
    this.#db = db;
  }

  /** @returns null when the tenant has `most` already */
  async create(tenant: string, url: string, most: number): Promise<EndpointRow | null> {
    const row: EndpointRow = {
      id: newId('whk'),
      tenant,
      url,
      status: 'enabled',
      disabled_reason: null,
      generation: 1,
      previous_until: null,
      created_at: new Date().toISOString(),
    };
    const { meta } = await this.#db
      .prepare(
        `INSERT INTO webhook_endpoints (id, tenant, url, status, generation, created_at)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE (SELECT count(*) < ?7 FROM webhook_endpoints WHERE tenant = ?2)`,
      )
      .bind(row.id, tenant, url, row.status, row.generation, row.created_at, most)
      .run();
    return meta.changes > 0 ? row : null;
  }

  find(tenant: string, id: string): Promise<EndpointRow | null> {
    return this.#db
      .prepare('SELECT * FROM webhook_endpoints WHERE tenant = ? AND id = ?')
      .bind(tenant, id)
      .first<EndpointRow>();
  }

  /** Newest first, after the id `after`. */
  async list(tenant: string, limit: number, after: string | null): Promise<EndpointRow[]> {
    const { results } = await this.#db
      .prepare('SELECT * FROM webhook_endpoints WHERE tenant = ? AND id < ? ORDER BY id DESC LIMIT ?')
      .bind(tenant, after ?? '~', limit)
      .all<EndpointRow>();
    return results;
  }

  /** Changes address or status; enabling forgets why it was disabled. */
  async change(
    { tenant, id }: Pick<EndpointRow, 'tenant' | 'id'>,
    { url, status, reason = null }: { url?: string; status?: EndpointRow['status']; reason?: string | null },
  ): Promise<void> {
    await this.#db
      .prepare(
        'UPDATE webhook_endpoints SET url = coalesce(?1, url), status = coalesce(?2, status), disabled_reason = CASE WHEN ?2 IS NULL THEN disabled_reason ELSE ?3 END WHERE tenant = ?4 AND id = ?5',
      )
      .bind(url ?? null, status ?? null, reason, tenant, id)
      .run();
  }

  /** The next secret signs from now on, the present one until `until` too. */
  async rotate({ tenant, id }: EndpointRow, until: string): Promise<void> {
    await this.#db
      .prepare(
        'UPDATE webhook_endpoints SET generation = generation + 1, previous_until = ? WHERE tenant = ? AND id = ?',
      )
      .bind(until, tenant, id)
      .run();
  }

  async delete(tenant: string, id: string): Promise<void> {
    await this.#db
      .prepare('DELETE FROM webhook_endpoints WHERE tenant = ? AND id = ?')
      .bind(tenant, id)
      .run();
  }
}
