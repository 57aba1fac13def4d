import type { AuditEvent } from '@whylight/contract';
import { newId, ulid } from '../domain/ulid.ts';

/** Stores who changed what, and who was refused. Rows name keys by their id; they contain no secret. */
export class AuditTrail {
  readonly #db: D1Database;

  constructor(db: D1Database) {
    this.#db = db;
  }

  async write(tenant: string, event: Omit<AuditEvent, 'id' | 'object' | 'created_at'>): Promise<void> {
    await this.#db
      .prepare(
        'INSERT INTO audit_events (id, tenant, actor, action, subject, outcome, request_id, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      )
      .bind(
        newId('evt'),
        tenant,
        event.actor,
        event.action,
        event.subject,
        event.outcome,
        event.request_id,
        new Date().toISOString(),
      )
      .run();
  }

  /** Deletes at most `limit` rows, of any tenant, from before `time` (unix milliseconds). @returns how many */
  async prune(time: number, limit: number): Promise<number> {
    // Ids begin with their time.
    const first = `evt_${ulid(time).slice(0, 10)}`;
    const { meta } = await this.#db
      .prepare('DELETE FROM audit_events WHERE id IN (SELECT id FROM audit_events WHERE id < ? LIMIT ?)')
      .bind(first, limit)
      .run();
    return meta.changes;
  }

  /** Newest first, after the id `after`. */
  async list(tenant: string, limit: number, after: string | null): Promise<AuditEvent[]> {
    const { results } = await this.#db
      .prepare(
        'SELECT id, actor, action, subject, outcome, request_id, created_at FROM audit_events WHERE tenant = ? AND id < ? ORDER BY id DESC LIMIT ?',
      )
      .bind(tenant, after ?? '~', limit)
      .all<Omit<AuditEvent, 'object'>>();
    return results.map((row) => ({ ...row, object: 'audit_event' }));
  }
}
