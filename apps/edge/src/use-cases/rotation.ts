import type { Key } from '@whylight/contract';
import { grant } from '../domain/grant.ts';
import { notFound, Refusal } from '../domain/refusal.ts';
import { isId } from '../domain/ulid.ts';
import type { Caller, Tenants } from '../storage/tenants.ts';

/**
 * Creates a key that replaces `id`. The old key stays valid for `grace` more seconds, but not beyond its own expiry. The
 * caller must be able to grant the scopes of the old key.
 *
 * @throws Refusal `resource_not_found`, `key_not_active`, `insufficient_scope`.
 */
export async function rotateKey(
  tenants: Tenants,
  caller: Caller,
  id: string,
  grace: number,
): Promise<{ key: Key; text: string }> {
  const old = isId('key', id) ? await tenants.key(caller.tenant, id) : null;
  if (!old) throw notFound();
  const now = Date.now();
  if (old.revoked_at !== null || Date.parse(old.expires_at ?? '9999-12-31') <= now)
    throw new Refusal(
      'key_not_active',
      'The key is revoked or expired, so it has no replacement. Create a key.',
    );
  const asked = { name: old.name ?? undefined, scopes: old.scopes, expires_at: old.expires_at ?? undefined };
  const until = new Date(now + grace * 1000).toISOString();
  return tenants.createKey(caller.tenant, grant(caller, asked), { id, until });
}
