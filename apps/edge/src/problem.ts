import type { Problem } from '@whylight/contract';
import { LimitRefusal, type Refusal, type RefusalCode } from './domain/refusal.ts';

type Kind = readonly [
  status: 400 | 401 | 403 | 404 | 405 | 406 | 409 | 410 | 413 | 415 | 422 | 429 | 500 | 503,
  title: string,
];

/** The status and title of each code. No other file knows the statuses of errors. A code without a row does not compile. */
const kinds: Record<RefusalCode, Kind> = {
  invalid_json: [400, 'The body is not JSON'],
  unknown_field: [400, 'The request has an unknown field'],
  invalid_parameter: [400, 'A parameter is not valid'],
  invalid_cursor: [400, 'The cursor is not valid'],
  invalid_version: [400, 'This API has no such version'],
  not_acceptable: [406, 'The resource has no answer of this type'],
  missing_api_key: [401, 'An API key is missing'],
  malformed_api_key: [401, 'The API key has the wrong form'],
  invalid_api_key: [401, 'The API key is not valid'],
  invalid_signature: [401, 'The signature of the call is missing or wrong'],
  wrong_clock: [401, 'The clock of the caller is wrong'],
  insufficient_scope: [403, 'The API key may not do this'],
  tenant_suspended: [403, 'The tenant is suspended'],
  resource_not_found: [404, 'The resource does not exist'],
  method_not_allowed: [405, 'The resource does not have this method'],
  upload_not_ready: [409, 'The bytes of the upload have not arrived'],
  explanation_not_ready: [409, 'The explanation has no result'],
  model_not_ready: [409, 'The model is not ready yet'],
  model_limit_reached: [409, 'The tenant has no room for another model'],
  idempotency_in_progress: [409, 'The service is still answering the same request'],
  key_not_active: [409, 'The key is revoked or expired'],
  stale_report: [409, 'The report is about an attempt that is over'],
  attempt_claimed: [409, 'Another worker has claimed the attempt'],
  attempt_over: [409, 'The attempt is over'],
  artifact_expired: [410, 'The artifact has been deleted'],
  payload_too_large: [413, 'The body or the upload is too large'],
  unsupported_media_type: [415, 'The service does not accept this type'],
  idempotency_key_reused: [422, 'An earlier request used this key with another body'],
  upload_mismatch: [422, 'The uploaded bytes differ from the announced ones'],
  invalid_image: [422, 'The worker cannot decode the photo'],
  image_too_large: [422, 'The photo has too many pixels'],
  non_finite_output: [422, 'The model’s output is not finite'],
  invalid_model: [422, 'The file is not an image classifier that Whylight can read'],
  model_external_data_forbidden: [422, 'The model keeps data outside its file'],
  model_unsupported_op: [422, 'The model has an operator that is not supported'],
  model_too_large: [422, 'The model is too large'],
  model_validation_timeout: [422, 'The validation of the model took too long'],
  model_validation_failed: [422, 'The validation of the model failed'],
  method_not_supported: [422, 'The method does not work on this model'],
  target_out_of_range: [422, 'The model has no such class'],
  rate_limited: [429, 'The tenant has sent too many requests'],
  concurrency_limited: [429, 'Too many computations or batches of the tenant are under way'],
  quota_exceeded: [429, 'The quota is used up'],
  too_many_bad_keys: [429, 'Too many invalid API keys came from one address'],
  internal: [500, 'The service failed'],
  capacity: [503, 'The service has no capacity at the moment'],
  storage_unavailable: [503, 'The object store does not answer'],
  not_configured: [503, 'The service is not configured'],
};

/** Codes of refusals that may go away: the client can send the same request again. */
const retryable: ReadonlySet<RefusalCode> = new Set([
  'upload_not_ready',
  'explanation_not_ready',
  'model_not_ready',
  'idempotency_in_progress',
  'rate_limited',
  'concurrency_limited',
  'quota_exceeded',
  'too_many_bad_keys',
  'internal',
  'capacity',
  'storage_unavailable',
]);

export const isPassing = (code: RefusalCode): boolean => retryable.has(code);

/** Seconds after which to try again, by status. */
const retryAfter: Readonly<Record<number, string>> = { 409: '1', 429: '60', 503: '5' };

/** Limits and shortages have registered types; all others are our own. */
function typeOf(refusal: Refusal): string {
  const registry = 'https://iana.org/assignments/http-problem-types';
  if (refusal instanceof LimitRefusal) return `${registry}#quota-exceeded`;
  if (refusal.code === 'capacity') return `${registry}#temporary-reduced-capacity`;
  return `urn:whylight:problem:${refusal.code}`;
}

/** Writes a refusal as RFC 9457 describes. */
export function problem(refusal: Refusal, requestId: string): Response {
  const [status, title] = kinds[refusal.code];
  const body: Problem = {
    type: typeOf(refusal),
    title,
    status,
    detail: refusal.message,
    instance: requestId,
    code: refusal.code,
    request_id: requestId,
    retryable: isPassing(refusal.code),
    ...(refusal instanceof LimitRefusal ? { 'violated-policies': [refusal.policy] } : {}),
    ...(refusal.errors.length > 0 ? { errors: [...refusal.errors] } : {}),
  };
  const headers = new Headers({ 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store' });
  if (status === 401) headers.set('WWW-Authenticate', 'Bearer');
  if (refusal instanceof LimitRefusal) headers.set('Retry-After', String(refusal.seconds));
  else if (status in retryAfter) headers.set('Retry-After', retryAfter[status]!);
  return new Response(JSON.stringify(body), { status, headers });
}
