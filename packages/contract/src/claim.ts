import { z } from 'zod';
import { hex } from './digest.ts';

/**
 * A queue may deliver a message twice, and to two workers. So an attempt belongs to the worker that claims it first. Before a
 * worker computes or writes anything, it posts a `Claim` to the `claim_url` of the job. The answer 204 gives the attempt to this
 * worker, also when it claims it again with the same nonce. The answer 409 has a code that says why the worker does not get
 * the attempt; the worker then drops the job.
 */

/** 128 random bits in hex. A worker creates one for each job that it accepts; nobody else knows it before the claim. */
export const nonceSchema = z.string().regex(/^[0-9a-f]{32}$/, 'expected 32 lower-case hex digits');

export const newNonce = (): string => hex(crypto.getRandomValues(new Uint8Array(16)));

/** The name of a worker in claims and logs. */
export const workerIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,100}$/, 'expected 1 to 100 letters, digits, dots, - and _');

export const claimSchema = z.strictObject({
  attempt: z.int().min(1),
  lease: z.string().min(16),
  nonce: nonceSchema,
  worker: workerIdSchema,
});
export type Claim = z.infer<typeof claimSchema>;

/** Another worker has claimed the attempt; or the attempt has ended, was canceled, or a later attempt has begun. */
export const claimRefusals = ['attempt_claimed', 'attempt_over'] as const;
export type ClaimRefusal = (typeof claimRefusals)[number];

/** The prefix of the artifacts' names under a claim. No two claims write the same object. */
export const artifactPrefix = (outputPrefix: string, nonce: string): string => `${outputPrefix}${nonce}/`;
