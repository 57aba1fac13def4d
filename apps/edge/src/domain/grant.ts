import type { Scope } from '@whylight/contract';
import { Refusal } from './refusal.ts';

interface Grantor {
  readonly scopes: readonly Scope[];
  readonly keyExpiresAt: string | null;
}

interface Wish {
  readonly name?: string | undefined;
  readonly scopes?: readonly Scope[] | undefined;
  readonly expires_at?: string | undefined;
}

/**
 * Limits a new key to what its grantor may pass on: at most its own scopes, for at most its own life.
 *
 * @throws Refusal `insufficient_scope` naming the first scope that the caller lacks.
 */
export function grant(
  grantor: Grantor,
  wish: Wish,
): { name: string | null; scopes: Scope[]; expiresAt: string | null } {
  const scopes = [...new Set(wish.scopes ?? grantor.scopes)];
  const lacking = scopes.find((scope) => !grantor.scopes.includes(scope));
  if (lacking) throw new Refusal('insufficient_scope', `A key cannot pass on ${lacking}, which it lacks.`);
  const ends = [wish.expires_at, grantor.keyExpiresAt].flatMap((time) => (time ? [Date.parse(time)] : []));
  return {
    name: wish.name ?? null,
    scopes,
    expiresAt: ends.length > 0 ? new Date(Math.min(...ends)).toISOString() : null,
  };
}

/** @throws Refusal `invalid_parameter` if a key would have ended before it begins */
export function checkFuture(end: string | undefined): void {
  if (end === undefined || Date.parse(end) > Date.now()) return;
  const message = `Expected a time in the future; it is ${new Date().toISOString()} now.`;
  throw new Refusal('invalid_parameter', `/expires_at: ${message}`, [
    { pointer: '/expires_at', code: 'too_small', message },
  ]);
}
