import { z } from 'zod';
import { hex } from './digest.ts';

/**
 * A queue may deliver a message twice, and to two workers. So an attempt belongs to one worker alone: the first that
 * claims it. Before a worker writes or computes anything it posts a `Claim` to the `claim_url` of the job. 204: the
 * attempt is this worker's, also when it asks again with the same nonce. 409 says by its code why it is not: the worker
 * forgets the job.
 */

/** 128 random bits in hex. A worker makes one for each job that it takes: nobody else knows it before the claim. */
export const nonceSchema = z.string().regex(/^[0-9a-f]{32}$/, 'expected 32 lower-case hex digits');

export const newNonce = (): string => hex(crypto.getRandomValues(new Uint8Array(16)));

/** What a worker is called in claims and logs. */
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

/** Another worker has the attempt; or it is over: it has ended, was called off, or a later attempt has begun. */
export const claimRefusals = ['attempt_claimed', 'attempt_over'] as const;
export type ClaimRefusal = (typeof claimRefusals)[number];

/** What the names of the artifacts begin with that are written under a claim; no two claims write the same object. */
export const artifactPrefix = (outputPrefix: string, nonce: string): string => `${outputPrefix}${nonce}/`;
