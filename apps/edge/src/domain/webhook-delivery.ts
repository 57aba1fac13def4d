import type { WebhookDelivery } from '@whylight/contract';
import type { WebhookEvent } from './webhook-event.ts';

/** One event on its way to one endpoint. */
export interface Delivery extends WebhookEvent {
  readonly status: WebhookDelivery['status'];
  readonly createdAt: number;
  /** Tries since it was sent, or sent again by hand. */
  readonly tries: number;
  /** When it is tried next; null when it is not. */
  readonly nextAt: number | null;
  /** The latest, newest first. */
  readonly attempts: readonly Attempt[];
}

export interface Attempt {
  readonly at: number;
  /** What the endpoint answered with, if it did. */
  readonly status: number | null;
  /** Null for one that arrived. */
  readonly error: string | null;
}

/** Seconds between one try and the next; those that Standard Webhooks recommends. */
const schedule = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
const remembered = 20;

export const newDelivery = (event: WebhookEvent, now: number): Delivery => ({
  ...event,
  status: 'pending',
  createdAt: now,
  tries: 0,
  nextAt: now,
  attempts: [],
});

/** Sent again by hand: a schedule of its own, under the same id. */
export const restartDelivery = (delivery: Delivery, now: number): Delivery => ({
  ...delivery,
  status: 'pending',
  tries: 0,
  nextAt: now,
});

/** After an attempt: delivered, to be tried again, or given up. `final`: another try would be pointless. */
export function recordAttempt(delivery: Delivery, attempt: Attempt, final: boolean): Delivery {
  const attempts = [attempt, ...delivery.attempts].slice(0, remembered);
  const tries = delivery.tries + 1;
  if (attempt.error === null) return { ...delivery, tries, attempts, status: 'delivered', nextAt: null };
  const pause = final ? undefined : schedule[tries - 1];
  if (pause === undefined) return { ...delivery, tries, attempts, status: 'failed', nextAt: null };
  return { ...delivery, tries, attempts, nextAt: attempt.at + pause * 1000 };
}

export const presentDelivery = ({
  id,
  type,
  status,
  createdAt,
  nextAt,
  attempts,
}: Delivery): WebhookDelivery => ({
  id,
  object: 'webhook_delivery',
  type,
  status,
  created_at: time(createdAt),
  next_attempt_at: nextAt === null ? null : time(nextAt),
  attempts: attempts.map(({ at, status: answered, error }) => ({ at: time(at), status: answered, error })),
});

const time = (milliseconds: number): string => new Date(milliseconds).toISOString();
