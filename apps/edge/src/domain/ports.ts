import type {
  Claim,
  ClaimRefusal,
  Job,
  JobError,
  Order,
  Presence,
  PresenceAnswer,
  Report,
  Style,
} from '@whylight/contract';
import type { BatchState } from './batch.ts';
import type { Creation } from './creation.ts';
import type { Answer, Claim as KeyClaim } from './idempotency.ts';
import type { Excess, Limits, Meter, Usage } from './meter.ts';
import type { OfferedCatalog } from './offered-catalog.ts';
import type { FoundRendering, Rendering } from './rendering.ts';
import type { Admission, Run, Submission, WaitRequest } from './run.ts';
import type { RunEvents } from './run-events.ts';
import type { Delivery } from './webhook-delivery.ts';
import type { WebhookEvent } from './webhook-event.ts';

/**
 * The Durable Objects as the rest of the gateway and other Durable Objects call them. The classes in durable-objects
 * describe each method. Bindings use these types, because the classes themselves need the bindings.
 */

export interface ComputationPort {
  findResult(request: WaitRequest): Promise<Admission | JobError | null>;
  admit(submission: Submission, fresh: boolean, request: WaitRequest): Promise<Admission | JobError | Excess>;
  watch(run: number, waiter: string, style: Style | null, seconds: number): Promise<Run | null>;
  render(run: number, style: Style): Promise<FoundRendering | JobError>;
  findRendering(run: number, key: string): Promise<Rendering | null>;
  cancel(run: number, waiter: string): Promise<boolean>;
  erase(run: number, waiter: string): Promise<void>;
  readEvents(run: number, waiter: string, after: number | null, seconds: number): Promise<RunEvents | null>;
  deliverJob(attempt: number): Promise<Job | null>;
  acceptAttempt(attempt: number): Promise<void>;
  failAttempt(attempt: number, error: JobError): Promise<void>;
  claimAttempt(claim: Claim): Promise<ClaimRefusal | null>;
  applyReport(report: Report): Promise<boolean>;
}

/** What answers for an explanation: its computation, or `UnresolvedExplanation` until it has one. */
export type ExplanationPort = Pick<ComputationPort, 'watch' | 'readEvents' | 'cancel' | 'erase'>;

export interface UnresolvedExplanationPort extends ExplanationPort {
  create(creation: Creation, run: Run): Promise<Run | Excess>;
}

export interface BatchPort {
  create(state: BatchState): Promise<BatchState | Excess>;
  read(): Promise<BatchState | null>;
  cancel(): Promise<BatchState | null>;
}

export interface MeterPort {
  read(): Promise<Meter>;
  request(): Promise<{ meter: Meter; excess: Excess | null }>;
  begin(id: string, units: number): Promise<Excess | null>;
  end(id: string, units: number): Promise<void>;
  release(id: string): Promise<void>;
  beginBatch(id: string, until: number): Promise<Excess | null>;
  endBatch(id: string): Promise<void>;
  limit(limits: Limits): Promise<Meter>;
  usage(): Promise<Usage[]>;
}

export interface WebhookDeliveriesPort {
  deliver(address: { readonly tenant: string; readonly id: string }, event: WebhookEvent): Promise<void>;
  redeliver(id: string): Promise<Delivery | null>;
  list(limit: number, before: string | null): Promise<Delivery[]>;
  forget(): Promise<void>;
}

export interface IdempotencyPort {
  claim(fingerprint: string, id: string): Promise<KeyClaim>;
  settle(answer: Answer): Promise<void>;
  fail(): Promise<void>;
  release(): Promise<void>;
}

export interface ModelValidationPort {
  awaitFile(tenant: string, model: string, requestId: string): Promise<void>;
  begin(tenant: string, model: string, requestId: string): Promise<void>;
  repeat(tenant: string, model: string): Promise<void>;
  forget(): Promise<void>;
  waitUntilDone(seconds: number): Promise<void>;
}

export interface TenantCleanupPort {
  schedule(tenant: string): Promise<void>;
  deleteBlankLater(tenant: string, object: string): Promise<void>;
}

/** An order without its id. */
export type NewOrder = Order extends infer O ? (O extends Order ? Omit<O, 'id'> : never) : never;

/** The workers that report their presence. */
export interface Workers {
  readonly count: number;
  /** What the ready ones offer together; null if none is ready. */
  readonly catalog: OfferedCatalog | null;
}

/** The gateway's own answer to a presence report; workers read its orders as those of any release. */
export type PresenceReply = Omit<PresenceAnswer, 'orders'> & { readonly orders: Order[] };

export interface WorkerRegistryPort {
  report(presence: Presence): Promise<PresenceReply>;
  order(worker: string, order: NewOrder): Promise<void>;
  orderAll(order: NewOrder): Promise<number>;
  read(): Promise<Workers>;
}
