import { Refusal } from './refusal.ts';

/** Milliseconds for which an answer is kept. */
export const replayTime = 24 * 3_600_000;
/** Milliseconds after which a request that gave no answer counts as dead, and its repetition takes over. */
export const lockTime = 10_000;

/** An answer as it was sent. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The stored state of one Idempotency-Key. */
export interface Reservation {
  /** Fingerprint of the body that came with the key. */
  readonly fingerprint: string;
  /** Id of what the request creates: set before anything is done, so that a repetition creates the same. */
  readonly id: string;
  /** 0: the request has failed on our side, and a repetition may take over at once. */
  readonly lockedUntil: number;
  readonly expiresAt: number;
  readonly answer: Answer | null;
}

/** The way to handle a request with the key. */
export type Claim =
  | { readonly outcome: 'execute'; readonly id: string }
  | { readonly outcome: 'replay'; readonly answer: Answer }
  | { readonly outcome: 'in_progress' }
  | { readonly outcome: 'reused' };

/** Gives the claim of a request with this `fingerprint`, and the reservation to store; a first request gets `id`. */
export function claim(
  kept: Reservation | null,
  fingerprint: string,
  id: string,
  now: number,
): [Claim, Reservation] {
  const failed = kept?.lockedUntil === 0 && !kept.answer;
  if (!kept || kept.expiresAt <= now || (failed && kept.fingerprint !== fingerprint)) {
    const begun = { fingerprint, id, lockedUntil: now + lockTime, expiresAt: now + replayTime, answer: null };
    return [{ outcome: 'execute', id }, begun];
  }
  if (kept.fingerprint !== fingerprint) return [{ outcome: 'reused' }, kept];
  if (kept.answer) return [{ outcome: 'replay', answer: kept.answer }, kept];
  if (now < kept.lockedUntil) return [{ outcome: 'in_progress' }, kept];
  return [
    { outcome: 'execute', id: kept.id },
    { ...kept, lockedUntil: now + lockTime },
  ];
}

/** Keys as the OpenAPI document describes them: no space at either end, since HTTP takes those away. */
export const idempotencyKeyPattern = '^[!-~]([ -~]{0,253}[!-~])?$';

/** The key of a request, or null without one. @throws Refusal `invalid_parameter`. */
export function idempotencyKey(header: string | undefined): string | null {
  if (header === undefined) return null;
  if (/^[\x20-\x7e]{1,255}$/.test(header)) return header;
  const message = 'Idempotency-Key: expected 1 to 255 printable ASCII characters.';
  throw new Refusal('invalid_parameter', message);
}
