import type { ClaimRefusal } from '@whylight/contract';
import type { Excess } from './meter.ts';

/** Every way in which a request can be declined; `problem.ts` gives each its status. */
export type RefusalCode =
  | 'invalid_json'
  | 'unknown_field'
  | 'invalid_parameter'
  | 'invalid_cursor'
  | 'invalid_version'
  | 'not_acceptable'
  | 'missing_api_key'
  | 'malformed_api_key'
  | 'invalid_api_key'
  | 'invalid_signature'
  | 'insufficient_scope'
  | 'tenant_suspended'
  | 'resource_not_found'
  | 'method_not_allowed'
  | 'upload_not_ready'
  | 'explanation_not_ready'
  | 'idempotency_in_progress'
  | 'idempotency_key_reused'
  | 'key_not_active'
  | 'stale_report'
  | ClaimRefusal
  | 'artifact_expired'
  | 'payload_too_large'
  | 'unsupported_media_type'
  | 'upload_mismatch'
  | 'invalid_image'
  | 'image_too_large'
  | 'non_finite_output'
  | 'model_not_ready'
  | 'model_limit_reached'
  | 'invalid_model'
  | 'model_external_data_forbidden'
  | 'model_unsupported_op'
  | 'model_too_large'
  | 'model_validation_timeout'
  | 'model_validation_failed'
  | 'method_not_supported'
  | 'target_out_of_range'
  | 'rate_limited'
  | 'concurrency_limited'
  | 'quota_exceeded'
  | 'too_many_bad_keys'
  | 'internal'
  | 'capacity'
  | 'storage_unavailable'
  | 'not_configured';

/** One fault in a body or query; `pointer` is a JSON pointer. */
export interface FieldError {
  readonly pointer: string;
  readonly code: string;
  readonly message: string;
}

/** A declined request. The message is shown to the caller: no secret, path or stack. */
export class Refusal extends Error {
  override name = 'Refusal' as const;
  readonly code: RefusalCode;
  readonly errors: readonly FieldError[];

  constructor(code: RefusalCode, message: string, errors: readonly FieldError[] = []) {
    super(message);
    this.code = code;
    this.errors = errors;
  }
}

/** A request beyond a limit of the tenant: `policy` is its name in RateLimit-Policy. */
export class LimitRefusal extends Refusal {
  readonly policy: string;
  /** After so many seconds it may be otherwise. */
  readonly seconds: number;

  constructor({ policy, limit, seconds }: Excess) {
    const [code, message] = excesses[policy];
    super(code, `${message} Your limit: ${limit}.`);
    this.policy = policy;
    this.seconds = seconds;
  }
}

const excesses = {
  requests: ['rate_limited', 'There were too many requests in the last minute.'],
  concurrency: ['concurrency_limited', 'Too many explanations are being computed for this tenant.'],
  compute: ['quota_exceeded', 'The compute units of this day do not suffice for it.'],
  batches: ['concurrency_limited', 'Too many batches of this tenant have items that wait for a place.'],
} as const;

/** The one answer for what is missing and for what belongs to someone else. */
export const notFound = (): Refusal => new Refusal('resource_not_found', 'There is no such resource.');
