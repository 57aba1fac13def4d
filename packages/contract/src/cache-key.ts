import { canonicalJson } from './canonical-json.ts';
import { sha256Hex } from './digest.ts';
import type { Question } from './job.ts';
import { rendererVersion, type Style } from './style.ts';

/**
 * The key of a computation: SHA-256(JCS({v, tenant, question, numerics})). Tenants never share a key, and
 * defaults spelled or omitted give the same one, because a question holds resolved parameters only.
 */
export function cacheKey(tenant: string, question: Question, numerics: string): Promise<string> {
  return sha256Hex(canonicalJson({ v: 1, tenant, question, numerics }));
}

/**
 * The key of one rendering of a computation: SHA-256(key \n JCS({renderer, look})). The style is `look` in what is hashed,
 * because that keeps the keys of earlier releases.
 */
export function renderKey(key: string, style: Style): Promise<string> {
  return sha256Hex(`${key}\n${canonicalJson({ renderer: rendererVersion, look: style })}`);
}
