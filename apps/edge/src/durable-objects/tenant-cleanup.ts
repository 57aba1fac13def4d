import { DurableObject } from 'cloudflare:workers';
import type { TenantCleanupPort } from '../domain/ports.ts';
import { urlLifetime } from '../domain/signed-links.ts';
import type { Bindings } from '../env.ts';
import { services } from '../services.ts';
import { statusOf } from '../use-cases/arrivals.ts';

/** Milliseconds after which an upload without its photo counts as abandoned, and between two rounds. */
const day = 24 * 3_600_000;
/** Uploads that one round checks, and rows of one kind that it deletes. */
const uploadsPerRound = 50;
const rowsPerRound = 500;
/** Milliseconds before another try after store or database did not answer. */
const pause = 5 * 60_000;
/** Storage keys of empty objects that block a name in the object store. */
const blank = 'blank/';

/**
 * Runs each day for a tenant that has uploaded something. It deletes uploads that the tenant announced and never sent, or
 * sent other than announced. It also deletes expired rows of all tenants, so that the rows of a tenant that nobody uses
 * any more go too.
 */
export class TenantCleanup extends DurableObject<Bindings> implements TenantCleanupPort {
  /** Schedules a round for tomorrow, unless one is scheduled already. */
  async schedule(tenant: string): Promise<void> {
    if ((await this.ctx.storage.getAlarm()) !== null) return;
    await this.ctx.storage.put('tenant', tenant);
    await this.ctx.storage.setAlarm(Date.now() + day);
  }

  /** Deletes an empty object, which blocks its name, once no signed URL for that name is valid any more. */
  async deleteBlankLater(tenant: string, object: string): Promise<void> {
    await this.ctx.storage.put(blank + object, Date.now());
    await this.schedule(tenant);
  }

  override async alarm(): Promise<void> {
    const tenant = await this.ctx.storage.get<string>('tenant');
    if (tenant === undefined) return;
    const times = await Promise.all([
      this.#deleteAbandoned(tenant),
      this.#deleteBlanks(),
      this.#pruneRows(),
    ]).catch((error: unknown) => {
      console.error('the cleanup did not finish a round', error);
      return [Date.now() + pause];
    });
    await this.ctx.storage.setAlarm(Math.max(Math.min(...times), Date.now() + 1_000));
  }

  /** @returns when the next round is due */
  async #deleteAbandoned(tenant: string): Promise<number> {
    const { uploads, objects } = services(this.env);
    for (const row of await uploads.listUnchecked(tenant, uploadsPerRound)) {
      const due = Date.parse(row.created_at) + day;
      if (due > Date.now()) return due;
      const found = await statusOf(objects, row);
      if (found === 'rejected' && !(await objects.delete(row.object))) return Date.now() + pause;
      await uploads.recordStatus(row, found);
    }
    return (await uploads.listUnchecked(tenant, 1)).length > 0 ? Date.now() : Date.now() + day;
  }

  /** @returns when the next round is due */
  async #deleteBlanks(): Promise<number> {
    const { objects } = services(this.env);
    const blanks = await this.ctx.storage.list<number>({ prefix: blank, limit: uploadsPerRound });
    for (const [name, since] of blanks) {
      if (since + urlLifetime * 1000 > Date.now()) continue;
      if (!(await objects.delete(name.slice(blank.length)))) return Date.now() + pause;
      await this.ctx.storage.delete(name);
    }
    return Date.now() + (blanks.size === uploadsPerRound ? pause : day);
  }

  /** @returns when the next round is due */
  async #pruneRows(): Promise<number> {
    const { explanations, uploads, backlog, audit, settings } = services(this.env);
    const before = (days: number) => Date.now() - days * day;
    const deleted = await Promise.all([
      explanations.prune(new Date(before(settings.EXPLANATION_DAYS)).toISOString(), rowsPerRound),
      uploads.prune(before(settings.EXPLANATION_DAYS), rowsPerRound),
      backlog.prune(rowsPerRound),
      audit.prune(before(settings.AUDIT_DAYS), rowsPerRound),
    ]);
    return deleted.includes(rowsPerRound) ? Date.now() : Date.now() + day;
  }
}
