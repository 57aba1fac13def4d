import type { ClaimRefusal, ProblemCode } from '@whylight/contract';
import type { Excess } from './meter.ts';

/** Every reason for which the gateway refuses a request; `problem-kinds.ts` gives each its status. */
export type RefusalCode = ProblemCode | ClaimRefusal | 'invalid_signature' | 'stale_report' | 'wrong_clock';

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
