import { DurableObject } from 'cloudflare:workers';
import { type Answer, type Claim, claim, type Reservation } from '../domain/idempotency.ts';
import type { IdempotencyPort } from '../domain/ports.ts';
import type { Bindings } from '../env.ts';

/** One Idempotency-Key of one tenant on one path; forgets itself when its time is over. */
export class Idempotency extends DurableObject<Bindings> implements IdempotencyPort {
  async claim(fingerprint: string, id: string): Promise<Claim> {
    const kept = (await this.ctx.storage.get<Reservation>('reservation')) ?? null;
    const [outcome, reservation] = claim(kept, fingerprint, id, Date.now());
    if (reservation !== kept) {
      await this.ctx.storage.put('reservation', reservation);
      await this.ctx.storage.setAlarm(reservation.expiresAt);
    }
    return outcome;
  }

  /** Keeps the answer, so that repetitions get it. */
  async settle(answer: Answer): Promise<void> {
    const kept = await this.ctx.storage.get<Reservation>('reservation');
    if (kept) await this.ctx.storage.put('reservation', { ...kept, answer });
  }

  /** The request has failed at an unknown point: its repetition gets the same id, so that nothing is made twice. */
  async fail(): Promise<void> {
    const kept = await this.ctx.storage.get<Reservation>('reservation');
    if (kept && !kept.answer) await this.ctx.storage.put('reservation', { ...kept, lockedUntil: 0 });
  }

  /** The request was declined before anything was done: the key is free again. */
  async release(): Promise<void> {
    const kept = await this.ctx.storage.get<Reservation>('reservation');
    if (kept && !kept.answer) await this.ctx.storage.deleteAll();
  }

  override async alarm(): Promise<void> {
    await this.ctx.storage.deleteAll();
  }
}
