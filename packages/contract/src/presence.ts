import { z } from 'zod';
import { workerIdSchema } from './claim.ts';
import { catalogSchema } from './job.ts';
import { modelSourceSchema } from './models.ts';
import { sha256 } from './wire.ts';

/**
 * Each worker tells the gateway that it is there, by POST to this path of the gateway, signed. The gateway holds the call for
 * up to `wait` seconds, until it has an order for this worker. It answers with its own time, with the orders, and with the
 * reason why this worker cannot serve it, if there is one. The worker then reports again.
 */
export const presencePath = '/internal/presence';

/** Seconds for which a worker lets the gateway hold a report: one report period. */
export const reportPeriod = 20;

/** `stopped` is the last report of a worker: the gateway forgets it at once. */
export const workerStates = ['starting', 'ready', 'draining', 'failed', 'stopped'] as const;

export const presenceSchema = z.object({
  /** The id of this process in claims and logs. */
  worker: workerIdSchema,
  /** The release of Whylight that the worker is of. */
  release: z.string().max(100),
  /** The path at which the worker takes jobs: its version of the contract. */
  contract: z.string().max(100),
  numerics_version: z.string().max(20),
  state: z.enum(workerStates),
  /** The worker's own time, in unix milliseconds. */
  clock: z.int(),
  /** What the worker can explain; null while it loads its models. It sends `body` until the gateway knows the digest. */
  catalog: z.object({ digest: sha256, body: catalogSchema.optional() }).nullable(),
  /** The ids of orders that have arrived: the gateway does not repeat them. */
  done: z.array(z.string().max(100)).max(1_000),
  wait: z.int().min(0).max(60),
});
export type Presence = z.infer<typeof presenceSchema>;

/** What the gateway asks of one worker: to stop an attempt, or to load a tenant's model. */
export const orderSchema = z.discriminatedUnion('order', [
  z.strictObject({ order: z.literal('drop'), id: z.string(), key: sha256, attempt: z.int().min(1) }),
  z.strictObject({
    order: z.literal('warm'),
    id: z.string(),
    model: modelSourceSchema,
    request_id: z.string(),
  }),
]);
export type Order = z.infer<typeof orderSchema>;

export const presenceAnswerSchema = z.object({
  /** The gateway's time, in unix milliseconds. */
  now: z.int(),
  /** Why this worker cannot serve this gateway; null if it can. */
  fault: z.string().nullable(),
  /** Whether the gateway knows the catalogue of the reported digest. */
  catalog_known: z.boolean(),
  /** Each is an `Order`. A worker ignores those of a later release. */
  orders: z.array(z.unknown()),
});
export type PresenceAnswer = z.infer<typeof presenceAnswerSchema>;

/** The codes with which a worker refuses a call that another worker may take. */
export const workerRefusalCodes = [
  'invalid_signature',
  'wrong_clock',
  'worker_not_ready',
  'model_not_found',
  'method_not_supported',
] as const;

/** The body of a worker's 400, 401, 404, 413 or 421. Workers of earlier releases send the detail alone. */
export const workerRefusalSchema = z.object({
  code: z.string().max(100).optional(),
  detail: z.string().max(1_000),
  worker: workerIdSchema.optional(),
});
export type WorkerRefusal = z.infer<typeof workerRefusalSchema>;

/** The sentence that names a clock that differs by so many seconds; ahead if they are positive. */
export function clockFault(seconds: number): string {
  const amount = Math.round(Math.abs(seconds)).toLocaleString('en-US');
  return `the clock is ${amount} s ${seconds > 0 ? 'ahead of' : 'behind'} the gateway's: set the time by NTP`;
}
