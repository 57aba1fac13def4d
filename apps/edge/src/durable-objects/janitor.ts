import { DurableObject } from 'cloudflare:workers';
import type { Bindings } from '../env.ts';
import { services } from '../services.ts';
import { statusOf } from '../use-cases/arrivals.ts';

/** Milliseconds after which an upload that has not become a photo counts as abandoned. */
const day = 24 * 3_600_000;
/** Uploads that are looked at in one go, and milliseconds before another try when the store did not answer. */
const armful = 50;
const pause = 5 * 60_000;

/** Sweeps what one tenant has announced and never put, or put otherwise than announced. */
export class Janitor extends DurableObject<Bindings> {
  /** There is something that may have to be swept tomorrow. */
  async arm(tenant: string): Promise<void> {
    if ((await this.ctx.storage.getAlarm()) !== null) return;
    await this.ctx.storage.put('tenant', tenant);
    await this.ctx.storage.setAlarm(Date.now() + day);
  }

  override async alarm(): Promise<void> {
    const tenant = await this.ctx.storage.get<string>('tenant');
    if (tenant === undefined) return;
    const next = await this.#sweep(tenant).catch((error: unknown) => {
      console.error('uploads were not swept', error);
      return Date.now() + pause;
    });
    if (next !== null) await this.ctx.storage.setAlarm(Math.max(next, Date.now() + 1_000));
  }

  /** @returns when to come again, or null when nothing is left */
  async #sweep(tenant: string): Promise<number | null> {
    const { uploads, objects } = services(this.env);
    for (const row of await uploads.unswept(tenant, armful)) {
      const due = Date.parse(row.created_at) + day;
      if (due > Date.now()) return due;
      const found = await statusOf(objects, row);
      if (found === 'rejected' && !(await objects.delete(row.object))) return Date.now() + pause;
      await uploads.sweep(row, found);
    }
    return (await uploads.unswept(tenant, 1)).length > 0 ? Date.now() : null;
  }
}
