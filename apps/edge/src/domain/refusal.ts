import type { ClaimRefusal } from '@whylight/contract';
import type { Excess } from './meter.ts';

/** Every reason for which the gateway refuses a request; `problem.ts` gives each its status. */
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
  | 'wrong_clock'
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

/** A refused request. The caller sees the message: it contains no secret, path or stack. */
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
  /** Seconds after which the request may succeed. */
  readonly seconds: number;

  constructor({ policy, limit, seconds }: Excess) {
    const [code, message] = excesses[policy];
    super(code, `${message} Your limit: ${limit}.`);
    this.policy = policy;
    this.seconds = seconds;
  }
}

const excesses = {
  requests: ['rate_limited', 'You sent too many requests in the last minute.'],
  concurrency: ['concurrency_limited', 'The service is computing too many explanations for this tenant.'],
  compute: ['quota_exceeded', 'The tenant has too few compute units left today for this request.'],
  batches: ['concurrency_limited', 'Too many batches of this tenant have items that wait to begin.'],
} as const;

/** The same answer for a resource that does not exist and for one that belongs to another tenant. */
export const notFound = (): Refusal => new Refusal('resource_not_found', 'The resource does not exist.');
