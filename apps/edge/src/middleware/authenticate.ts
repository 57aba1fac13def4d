import { type Scope, sha256Hex } from '@whylight/contract';
import type { Context, MiddlewareHandler } from 'hono';
import type { AppEnv } from '../app-env.ts';
import { parseKey } from '../domain/api-key.ts';
import { Refusal, type RefusalCode } from '../domain/refusal.ts';
import { sameDigest } from '../storage/tenants.ts';
import { measure } from '../timing.ts';
import { countRequest } from './rate.ts';

/** Refuses a request without a tenant's key that has this scope. The key must be in the header: a URL ends up in logs. */
export function authenticate(scope: Scope): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const key = parseKey(readBearer(c));
    if (!key)
      throw await refuseKey(
        c,
        'malformed_api_key',
        'Authorization: expected Bearer and a Whylight key, wl_live_…',
      );
    const caller = await measure(c, 'auth', () => c.var.services.tenants.authenticate(key));
    if (!caller) throw await refuseKey(c);
    c.set('tenant', caller.tenant);
    c.set('actor', caller.keyId);
    await measure(c, 'limit', () => countRequest(c, caller.tenant));
    if (caller.suspended) throw new Refusal('tenant_suspended', 'This tenant is suspended.');
    if (!caller.scopes.includes(scope))
      throw new Refusal('insufficient_scope', `The API key lacks the scope ${scope}.`);
    c.set('caller', caller);
    return next();
  };
}

/** Refuses a request without the operator's key. */
export const authenticateOperator: MiddlewareHandler<AppEnv> = async (c, next) => {
  await checkKey(c, [c.var.services.settings.OPERATOR_KEY_SHA256]);
  c.set('actor', 'operator');
  return next();
};

/** Refuses a request without the scaler's key or the operator's. The scaler's key reads the service's numbers only. */
export const authenticateScaler: MiddlewareHandler<AppEnv> = async (c, next) => {
  const { BACKLOG_KEY_SHA256, OPERATOR_KEY_SHA256 } = c.var.services.settings;
  await checkKey(c, [OPERATOR_KEY_SHA256, ...(BACKLOG_KEY_SHA256 ? [BACKLOG_KEY_SHA256] : [])]);
  return next();
};

/** @throws Refusal unless the request's key has one of these digests. Compares all of them, so that the time says nothing. */
async function checkKey(c: Context<AppEnv>, digests: readonly string[]): Promise<void> {
  const digest = await sha256Hex(readBearer(c));
  if (!digests.map((known) => sameDigest(digest, known)).includes(true)) throw await refuseKey(c);
}

/** Counts an invalid API key and gives its refusal. An address that sends many is blocked; tenants are unaffected. */
async function refuseKey(
  c: Context<AppEnv>,
  code: RefusalCode = 'invalid_api_key',
  message = 'The API key is not valid.',
): Promise<Refusal> {
  const address = c.req.header('CF-Connecting-IP') ?? 'unknown';
  const { success } = await c.var.services.badKeys.limit({ key: address });
  return success
    ? new Refusal(code, message)
    : new Refusal(
        'too_many_bad_keys',
        'Too many invalid API keys came from your address. Wait a minute, and check the key.',
      );
}

function readBearer(c: Context): string {
  const header = c.req.header('Authorization');
  if (header === undefined) throw new Refusal('missing_api_key', 'Send Authorization: Bearer <key>.');
  const [, token] = /^Bearer ([\x21-\x2b\x2d-\x7e]{1,200})$/i.exec(header) ?? [];
  if (token === undefined) throw new Refusal('malformed_api_key', 'Send one Authorization: Bearer <key>.');
  return token;
}
