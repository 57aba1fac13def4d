import type { Key, Scope, TenantView } from '@whylight/contract';
import { sha256Hex } from '@whylight/contract';
import { type ApiKey, mintKey } from '../domain/api-key.ts';
import { newId } from '../domain/ulid.ts';

/** The caller of a request, as proven by its key. */
export interface Caller {
  readonly tenant: string;
  readonly keyId: string;
  readonly scopes: readonly Scope[];
  readonly keyExpiresAt: string | null;
  readonly suspended: boolean;
}

export interface KeyWish {
  readonly name: string | null;
  readonly scopes: readonly Scope[];
  readonly expiresAt: string | null;
}

interface KeyRow {
  id: string;
  tenant: string;
  name: string | null;
  secret_sha256: string;
  scopes: string;
  created_at: string;
  expires_at: string | null;
  revoked_at: string | null;
}

/**
 * Milliseconds for which an isolate remembers that a key is valid. A key that is revoked, or whose tenant is suspended,
 * is refused at once by the isolate that did this, and by all others within this time.
 */
const remembered = 30_000;
/** Keys that an isolate remembers. */
const most = 1000;

interface Known {
  readonly row: KeyRow & Pick<TenantView, 'suspended_at'>;
  readonly at: number;
}

/** Tenants and their keys, in D1. Of a key's secret only the SHA-256 is here. */
export class Tenants {
  readonly #db: D1Database;
  /** Known keys by id and digest of the secret; the keys seen last are at the end. */
  readonly #known = new Map<string, ReadonlyMap<string, Known>>();

  constructor(db: D1Database) {
    this.#db = db;
  }

  async create(name: string): Promise<{ id: string; name: string; created_at: string }> {
    const tenant = { id: newId('ten'), name, created_at: new Date().toISOString() };
    await this.#db
      .prepare('INSERT INTO tenants (id, name, created_at) VALUES (?, ?, ?)')
      .bind(tenant.id, tenant.name, tenant.created_at)
      .run();
    return tenant;
  }

  /** Newest first, after the id `after`. */
  async list(limit: number, after: string | null): Promise<TenantView[]> {
    const { results } = await this.#db
      .prepare('SELECT * FROM tenants WHERE id < ? ORDER BY id DESC LIMIT ?')
      .bind(after ?? '~', limit)
      .all<Omit<TenantView, 'object'>>();
    return results.map((row) => ({ ...row, object: 'tenant' as const }));
  }

  /** Refuses a tenant everything, or takes that back; null when there is no such tenant. */
  async suspend(id: string, suspended: boolean): Promise<TenantView | null> {
    this.#known.clear();
    const row = await this.#db
      .prepare(
        'UPDATE tenants SET suspended_at = iif(?1, coalesce(suspended_at, ?2), NULL) WHERE id = ?3 RETURNING *',
      )
      .bind(Number(suspended), new Date().toISOString(), id)
      .first<Omit<TenantView, 'object'>>();
    return row && { ...row, object: 'tenant' };
  }

  async exists(id: string): Promise<boolean> {
    return (await this.#db.prepare('SELECT 1 FROM tenants WHERE id = ?').bind(id).first()) !== null;
  }

  /**
   * Creates a key; its text is in the answer and nowhere else. The replaced key, if any, is valid until `until`, or
   * until its own end if that is earlier. Both changes are made, or neither.
   */
  async createKey(
    tenant: string,
    wish: KeyWish,
    replaced?: { readonly id: string; readonly until: string },
  ): Promise<{ key: Key; text: string }> {
    const { id, secret, text } = mintKey(newId('key'));
    const row: KeyRow = {
      id,
      tenant,
      name: wish.name,
      secret_sha256: await sha256Hex(secret),
      scopes: wish.scopes.join(' '),
      created_at: new Date().toISOString(),
      expires_at: wish.expiresAt,
      revoked_at: null,
    };
    const statements = [
      this.#db
        .prepare(
          'INSERT INTO keys (id, tenant, name, secret_sha256, scopes, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
        )
        .bind(row.id, tenant, row.name, row.secret_sha256, row.scopes, row.created_at, row.expires_at),
    ];
    if (replaced) {
      this.#known.delete(replaced.id);
      statements.push(
        this.#db
          .prepare(
            'UPDATE keys SET expires_at = min(coalesce(expires_at, ?1), ?1) WHERE tenant = ?2 AND id = ?3',
          )
          .bind(replaced.until, tenant, replaced.id),
      );
    }
    await this.#db.batch(statements);
    return { key: keyOf(row), text };
  }

  /** Newest first, after the id `after`. */
  async keys(tenant: string, limit: number, after: string | null): Promise<Key[]> {
    const { results } = await this.#db
      .prepare('SELECT * FROM keys WHERE tenant = ? AND id < ? ORDER BY id DESC LIMIT ?')
      .bind(tenant, after ?? '~', limit)
      .all<KeyRow>();
    return results.map(keyOf);
  }

  /** False when this tenant has no such key. Revoking twice keeps the first time. */
  async revoke(tenant: string, id: string): Promise<boolean> {
    this.#known.delete(id);
    const { meta } = await this.#db
      .prepare('UPDATE keys SET revoked_at = coalesce(revoked_at, ?) WHERE tenant = ? AND id = ?')
      .bind(new Date().toISOString(), tenant, id)
      .run();
    return meta.changes > 0;
  }

  async key(tenant: string, id: string): Promise<StoredKey | null> {
    const row = await this.#db
      .prepare('SELECT * FROM keys WHERE tenant = ? AND id = ?')
      .bind(tenant, id)
      .first<KeyRow>();
    return row && keyOf(row);
  }

  /**
   * The caller who holds this key; null for a key that is unknown, revoked or expired. Whoever has not the secret is told nothing
   * by the time that this takes: an id that exists and one that does not both ask the database, at each try, and compare once.
   */
  async authenticate({ id, secret }: ApiKey): Promise<Caller | null> {
    const digest = await sha256Hex(secret);
    const row = this.#recall(id, digest) ?? (await this.#find(id, digest));
    if (!row || row.revoked_at !== null) return null;
    if (row.expires_at !== null && Date.parse(row.expires_at) <= Date.now()) return null;
    return {
      tenant: row.tenant,
      keyId: row.id,
      scopes: scopesOf(row),
      keyExpiresAt: row.expires_at,
      suspended: row.suspended_at !== null,
    };
  }

  /** What this isolate remembers of the key. It is found by id and digest together, so only with the right secret. */
  #recall(id: string, digest: string): Known['row'] | null {
    const known = this.#known.get(id)?.get(digest);
    return known && Date.now() - known.at < remembered ? known.row : null;
  }

  async #find(id: string, digest: string): Promise<Known['row'] | null> {
    const row = await this.#db
      .prepare(
        'SELECT keys.*, suspended_at FROM keys JOIN tenants ON tenants.id = keys.tenant WHERE keys.id = ?',
      )
      .bind(id)
      .first<Known['row']>();
    const right = sameDigest(digest, row?.secret_sha256 ?? '0'.repeat(64));
    if (!row || !right) return null;
    this.#known.delete(id);
    this.#known.set(id, new Map([[digest, { row, at: Date.now() }]]));
    if (this.#known.size > most) this.#known.delete(this.#known.keys().next().value!);
    return row;
  }
}

const encoder = new TextEncoder();

/** Compares two hex digests in constant time. */
export const sameDigest = (a: string, b: string): boolean =>
  crypto.subtle.timingSafeEqual(encoder.encode(a), encoder.encode(b));

const scopesOf = (row: KeyRow): Scope[] => row.scopes.split(' ') as Scope[];

/** Its scopes are those of this release. */
type StoredKey = Key & { scopes: Scope[] };

const keyOf = (row: KeyRow): StoredKey => ({
  id: row.id,
  object: 'key',
  name: row.name,
  scopes: scopesOf(row),
  created_at: row.created_at,
  expires_at: row.expires_at,
  revoked_at: row.revoked_at,
});
