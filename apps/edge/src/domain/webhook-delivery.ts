import type { WebhookDelivery } from '@whylight/contract';
import type { WebhookEvent } from './webhook-event.ts';

/** An event for one endpoint, and the attempts to deliver it. */
export interface Delivery extends WebhookEvent {
  readonly status: WebhookDelivery['status'];
  readonly createdAt: number;
  /** Attempts since the event was created, or was sent again on request. */
  readonly tries: number;
  /** When the next attempt is due; null if there is none. */
  readonly nextAt: number | null;
  /** The latest attempts, newest first. */
  readonly attempts: readonly Attempt[];
}

export interface Attempt {
  readonly at: number;
  /** The HTTP status of the endpoint's answer; null without an answer. */
  readonly status: number | null;
  /** Null if the endpoint accepted the event. */
  readonly error: string | null;
}

/** Seconds between one attempt and the next, as Standard Webhooks recommends. */
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

/** Begins the schedule anew, under the same id. */
export const restartDelivery = (delivery: Delivery, now: number): Delivery => ({
  ...delivery,
  status: 'pending',
  tries: 0,
  nextAt: now,
});

/** The delivery after an attempt: delivered, pending or failed. `final`: another attempt would be pointless. */
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
