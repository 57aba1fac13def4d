import { canonicalJson } from './canonical-json.ts';
import type { Question } from './job.ts';
import { type Look, rendererVersion } from './look.ts';

const encoder = new TextEncoder();

export const hex = (bytes: ArrayBuffer | Uint8Array): string =>
  Array.from(bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes), (b) =>
    b.toString(16).padStart(2, '0'),
  ).join('');

/** SHA-256 of bytes or of a string's UTF-8, as lower-case hex. */
export async function sha256Hex(data: Uint8Array<ArrayBuffer> | string): Promise<string> {
  const bytes = typeof data === 'string' ? encoder.encode(data) : data;
  return hex(await crypto.subtle.digest('SHA-256', bytes));
}

/**
 * The key of a computation: SHA-256(JCS({v, tenant, question, numerics})). Tenants never share a key, and
 * defaults spelled or omitted give the same one, because a question holds resolved parameters only.
 */
export function cacheKey(tenant: string, question: Question, numerics: string): Promise<string> {
  return sha256Hex(canonicalJson({ v: 1, tenant, question, numerics }));
}

/** The key of one drawing of a computation: SHA-256(key \n JCS({renderer, look})). */
export function renderKey(key: string, look: Look): Promise<string> {
  return sha256Hex(`${key}\n${canonicalJson({ renderer: rendererVersion, look })}`);
}
