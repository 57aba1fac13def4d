import { canonicalJson } from './canonical-json.ts';
import { sha256Hex } from './digest.ts';
import type { Question } from './job.ts';
import { rendererVersion, type Style } from './style.ts';

/**
 * Computes the key of a computation: SHA-256(JCS({v, tenant, question, numerics})). Two tenants never share a key. A default
 * gives the same key whether the request states it or omits it, because a question holds resolved parameters only.
 */
export function cacheKey(tenant: string, question: Question, numerics: string): Promise<string> {
  return sha256Hex(canonicalJson({ v: 1, tenant, question, numerics }));
}

/**
 * Computes the key of one rendering of a computation: SHA-256(key \n JCS({renderer, look})). The hashed text calls the style
 * `look`, so that the keys of earlier releases stay valid.
 */
export function renderKey(key: string, style: Style): Promise<string> {
  return sha256Hex(`${key}\n${canonicalJson({ renderer: rendererVersion, look: style })}`);
}
