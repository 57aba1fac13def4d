import type { Problem } from '@whylight/contract';
import { type FieldError, LimitRefusal, type Refusal } from './domain/refusal.ts';
import { isPassing, problemKinds } from './problem-kinds.ts';

/** The paths of KServe's protocols. Its clients read a refusal as JSON with the member `error`. */
export const kserveRoot = '/v1/compat/kserve/';

/** Seconds after which to try again, by status. */
const retryAfter: Readonly<Record<number, string>> = { 409: '1', 429: '60', 503: '5' };

/** Limits and shortages have registered types; all others are our own. */
function typeOf(refusal: Refusal): string {
  const registry = 'https://iana.org/assignments/http-problem-types';
  if (refusal instanceof LimitRefusal) return `${registry}#quota-exceeded`;
  if (refusal.code === 'capacity') return `${registry}#temporary-reduced-capacity`;
  return `urn:whylight:problem:${refusal.code}`;
}

/** Writes a refusal of a request for that path as RFC 9457 describes. */
export function problem(refusal: Refusal, requestId: string, path: string): Response {
  const isKServe = path.startsWith(kserveRoot);
  const [status, title] = problemKinds[refusal.code];
  const body: Problem = {
    type: typeOf(refusal),
    title,
    status,
    detail: visible(refusal.message),
    instance: requestId,
    code: refusal.code,
    request_id: requestId,
    retryable: isPassing(refusal.code),
    ...(refusal instanceof LimitRefusal ? { 'violated-policies': [refusal.policy] } : {}),
    ...(refusal.errors.length > 0 ? { errors: refusal.errors.map(visibleError) } : {}),
  };
  const type = isKServe ? 'application/json' : 'application/problem+json';
  const headers = new Headers({ 'Content-Type': type, 'Cache-Control': 'no-store' });
  if (status === 401) headers.set('WWW-Authenticate', 'Bearer');
  if (refusal instanceof LimitRefusal) headers.set('Retry-After', String(refusal.seconds));
  else if (status in retryAfter) headers.set('Retry-After', retryAfter[status]!);
  return new Response(JSON.stringify(isKServe ? { ...body, error: body.detail } : body), { status, headers });
}

/**
 * Writes what a terminal would obey, or what would turn the direction of a text, as `\u001b`: a message may name what the caller
 * sent.
 */
const visible = (text: string): string =>
  text.replace(
    /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

const visibleError = ({ pointer, code, message }: FieldError): FieldError => ({
  pointer: visible(pointer),
  code,
  message: visible(message),
});
