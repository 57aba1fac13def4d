import { type ProblemCode, problemCodes } from '@whylight/contract';
import type { RefusalCode } from './domain/refusal.ts';

type Status = 400 | 401 | 403 | 404 | 405 | 406 | 409 | 410 | 413 | 415 | 422 | 429 | 500 | 503;
type Kind = readonly [status: Status, title: string, advice: string];

/**
 * The status and title of each code, and what a client can do about it. No other file knows the statuses of errors. A code without
 * a row does not compile.
 */
export const problemKinds: Readonly<Record<RefusalCode, Kind>> = {
  invalid_json: [
    400,
    'The body is not JSON',
    'Send valid JSON in UTF-8: no member twice, no NaN, no number beyond a double, at most 32 levels deep.',
  ],
  unknown_field: [
    400,
    'The request has an unknown field',
    'Remove or correct the field or query parameter that `errors[].pointer` names.',
  ],
  invalid_parameter: [
    400,
    'A parameter is not valid',
    'Correct what `detail` and `errors` name. The same request is refused again.',
  ],
  invalid_cursor: [
    400,
    'The cursor is not valid',
    'Send the `next_cursor` of a page of the same list as `starting_after`, or begin without it.',
  ],
  invalid_version: [
    400,
    'This API has no such version',
    'Send one of the versions that `detail` names in `X-Api-Version`, or omit the header.',
  ],
  not_acceptable: [
    406,
    'The resource has no answer of this type',
    'Send `Accept: application/json`, or omit the header.',
  ],
  missing_api_key: [401, 'An API key is missing', 'Send `Authorization: Bearer <key>`.'],
  malformed_api_key: [
    401,
    'The API key has the wrong form',
    'Copy the whole key, from `wl_live_` to its last character, and send it once.',
  ],
  invalid_api_key: [
    401,
    'The API key is not valid',
    'The key is unknown, revoked or expired. Use another key, or create one.',
  ],
  invalid_signature: [
    401,
    'The signature of the call is missing or wrong',
    'Only workers call this route: give gateway and worker the same secret.',
  ],
  wrong_clock: [
    401,
    'The clock of the caller is wrong',
    'Only workers call this route: set the clock of the worker’s machine by NTP.',
  ],
  insufficient_scope: [
    403,
    'The API key may not do this',
    'Use a key that has the scope that `detail` names.',
  ],
  tenant_suspended: [403, 'The tenant is suspended', 'Ask the operator of the service.'],
  resource_not_found: [
    404,
    'The resource does not exist',
    'Check the id. It may be of another tenant, or deleted.',
  ],
  method_not_allowed: [
    405,
    'The resource does not have this method',
    'Use one of the methods in the header `Allow`.',
  ],
  upload_not_ready: [
    409,
    'The bytes of the upload have not arrived',
    'PUT the bytes to the signed URL, then send the request again.',
  ],
  upload_type_conflict: [
    409,
    'The service has these bytes as another type',
    'Announce the type that the upload has, or delete that upload first.',
  ],
  explanation_not_ready: [
    409,
    'The explanation has no result',
    'Wait until the explanation has succeeded: `GET /v1/explanations/{id}?wait=60`.',
  ],
  model_not_ready: [
    409,
    'The model is not ready yet',
    'Wait until the model is ready: `GET /v1/models/{id}?wait=60`. A rejected model says why in `error`.',
  ],
  model_limit_reached: [
    409,
    'The tenant has no room for another model',
    'Delete a model that you do not need.',
  ],
  idempotency_in_progress: [
    409,
    'The service is still answering the same request',
    'Wait a second, then send the same request again.',
  ],
  key_not_active: [
    409,
    'The key is revoked or expired',
    'Rotate a key that is neither revoked nor expired, or create a new key.',
  ],
  stale_report: [409, 'The report is about an attempt that is over', 'The worker forgets the job.'],
  attempt_claimed: [409, 'Another worker has claimed the attempt', 'The worker forgets the job.'],
  attempt_over: [409, 'The attempt is over', 'The worker forgets the job.'],
  artifact_expired: [
    410,
    'The artifact has been deleted',
    'The result is deleted. Create the explanation again.',
  ],
  payload_too_large: [
    413,
    'The body or the upload is too large',
    'Send a smaller body or photo; `detail` has the limit.',
  ],
  unsupported_media_type: [
    415,
    'The service does not accept this type',
    'Send the type that `detail` names, without `Content-Encoding`. Convert other photos to JPEG.',
  ],
  idempotency_key_reused: [
    422,
    'An earlier request used this key with another body',
    'Send a new Idempotency-Key with a new body.',
  ],
  upload_mismatch: [
    422,
    'The uploaded bytes differ from the announced ones',
    'Announce the file again, with its own length, type and SHA-256, and PUT exactly these bytes.',
  ],
  invalid_image: [
    422,
    'The worker cannot decode the photo',
    'Check that the file is a complete JPEG, PNG or WebP, and upload it again.',
  ],
  image_too_large: [422, 'The photo has too many pixels', 'Make the photo smaller: at most 25 megapixels.'],
  non_finite_output: [
    422,
    'The model’s output is not finite',
    'The model gave NaN or infinity for this photo. Check the preprocessing of the model.',
  ],
  invalid_model: [
    422,
    'The file is not an image classifier that Whylight can read',
    'Check the file with `whylight check`; export it again.',
  ],
  model_external_data_forbidden: [
    422,
    'The model keeps data outside its file',
    'Export the model as one file, with its weights inside.',
  ],
  model_unsupported_op: [
    422,
    'The model has an operator that is not supported',
    'Export the model without the operator that `detail` names.',
  ],
  model_too_large: [422, 'The model is too large', 'Use a smaller model; `detail` has the limit.'],
  model_validation_timeout: [
    422,
    'The validation of the model took too long',
    'Use a smaller model, or announce it again when the service is less busy.',
  ],
  model_validation_failed: [
    422,
    'The validation of the model failed',
    'Announce the model again. If this repeats, give the operator the request id.',
  ],
  method_not_supported: [
    422,
    'The method does not work on this model',
    'Use another method; `GET /v1/methods?model=` says which ones work.',
  ],
  target_out_of_range: [
    422,
    'The model has no such class',
    'Use a class that the model has; `detail` says how many there are, or suggests a name.',
  ],
  rate_limited: [
    429,
    'The tenant has sent too many requests',
    'Wait for the seconds in `Retry-After`, then send the request again.',
  ],
  concurrency_limited: [
    429,
    'Too many computations or batches of the tenant are under way',
    'Wait until some of your computations or batches have ended, then send the request again.',
  ],
  quota_exceeded: [
    429,
    'The quota is used up',
    'Wait until the quota is renewed (`Retry-After`), or ask the operator for more.',
  ],
  too_many_bad_keys: [
    429,
    'Too many invalid API keys came from one address',
    'Wait a minute, and correct the key.',
  ],
  internal: [
    500,
    'The service failed',
    'Send the request again. If it fails again, give the operator the request id.',
  ],
  capacity: [
    503,
    'The service has no capacity at the moment',
    'Wait for the seconds in `Retry-After`, then send the request again.',
  ],
  storage_unavailable: [
    503,
    'The object store does not answer',
    'Wait for the seconds in `Retry-After`, then send the request again.',
  ],
  not_configured: [
    503,
    'The service is not configured',
    'Ask the operator of the service: a setting is missing.',
  ],
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

/** The table of `docs/problems.md` and `/docs`. */
export const problemTable = (): string =>
  ['| code | status | repeat? | what to do |', '|---|---|---|---|', ...problemCodes.map(rowOf)].join('\n');

function rowOf(code: ProblemCode): string {
  const [status, title, advice] = problemKinds[code];
  return `| \`${code}\` | ${status} | ${isPassing(code) ? 'yes' : 'no'} | ${title}. ${advice} |`;
}
