import { type Scope, sha256Hex } from '@whylight/contract';
import type { Context, MiddlewareHandler } from 'hono';
import type { AppEnv } from '../app-env.ts';
import { parseKey } from '../domain/api-key.ts';
import { Refusal } from '../domain/refusal.ts';
import { sameDigest } from '../storage/tenants.ts';

/** Lets a tenant's key with this scope through. A key in the URL is not a key. */
export function authenticate(scope: Scope): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const key = parseKey(bearer(c));
    if (!key) throw new Refusal('malformed_api_key', 'The Authorization header holds no Whylight key.');
    const caller = await c.var.services.tenants.authenticate(key);
    if (!caller) throw new Refusal('invalid_api_key', 'The API key is not valid.');
    if (!caller.scopes.includes(scope))
      throw new Refusal('insufficient_scope', `The API key lacks the scope ${scope}.`);
    c.set('caller', caller);
    return next();
  };
}

/** Lets the operator's key through, and no tenant's. */
export const authenticateOperator: MiddlewareHandler<AppEnv> = async (c, next) => {
  const digest = await sha256Hex(bearer(c));
  if (!sameDigest(digest, c.var.services.settings.OPERATOR_KEY_SHA256))
    throw new Refusal('invalid_api_key', 'The API key is not valid.');
  return next();
};

function bearer(c: Context): string {
  const header = c.req.header('Authorization');
  if (header === undefined) throw new Refusal('missing_api_key', 'Send Authorization: Bearer <key>.');
  const [, token] = /^Bearer ([\x21-\x2b\x2d-\x7e]{1,200})$/i.exec(header) ?? [];
  if (token === undefined) throw new Refusal('malformed_api_key', 'Send one Authorization: Bearer <key>.');
  return token;
}
