import { DurableObject } from 'cloudflare:workers';
import type { JanitorPort } from '../domain/ports.ts';
import type { Bindings } from '../env.ts';
import { services } from '../services.ts';
import { urlLifetime } from '../storage/objects.ts';
import { statusOf } from '../use-cases/arrivals.ts';

/** Milliseconds after which an upload that has not become a photo counts as abandoned, and between two rounds. */
const day = 24 * 3_600_000;
/** Uploads that are looked at, and rows of a kind that are deleted, in one go. */
const armful = 50;
const mostRows = 500;
/** Milliseconds before another try when store or database did not answer. */
const pause = 5 * 60_000;
/** What objects that hold a place are written down under. */
const blank = 'blank/';

/**
 * Comes by each day for a tenant that has uploaded something. Sweeps what it has announced and never put, or put
 * otherwise than announced; and deletes rows whose time is over, whosever they are, so that those of a tenant that nobody
 * uses any more go too.
 */
export class Janitor extends DurableObject<Bindings> implements JanitorPort {
  /** There is something that may have to be swept tomorrow. */
  async arm(tenant: string): Promise<void> {
    if ((await this.ctx.storage.getAlarm()) !== null) return;
    await this.ctx.storage.put('tenant', tenant);
    await this.ctx.storage.setAlarm(Date.now() + day);
  }

  /** An empty object holds a place until no signed URL is good for it, and is to go then. */
  async clear(tenant: string, object: string): Promise<void> {
    await this.ctx.storage.put(blank + object, Date.now());
    await this.arm(tenant);
  }

  override async alarm(): Promise<void> {
    const tenant = await this.ctx.storage.get<string>('tenant');
    if (tenant === undefined) return;
    const times = await Promise.all([this.#sweep(tenant), this.#clear(), this.#prune()]).catch(
      (error: unknown) => {
        console.error('a round was not finished', error);
        return [Date.now() + pause];
      },
    );
    await this.ctx.storage.setAlarm(Math.max(Math.min(...times), Date.now() + 1_000));
  }

  /** @returns when to come again */
  async #sweep(tenant: string): Promise<number> {
    const { uploads, objects } = services(this.env);
    for (const row of await uploads.unswept(tenant, armful)) {
      const due = Date.parse(row.created_at) + day;
      if (due > Date.now()) return due;
      const found = await statusOf(objects, row);
      if (found === 'rejected' && !(await objects.delete(row.object))) return Date.now() + pause;
      await uploads.sweep(row, found);
    }
    return (await uploads.unswept(tenant, 1)).length > 0 ? Date.now() : Date.now() + day;
  }

  /** @returns when to come again */
  async #clear(): Promise<number> {
    const { objects } = services(this.env);
    const places = await this.ctx.storage.list<number>({ prefix: blank, limit: armful });
    for (const [name, since] of places) {
      if (since + urlLifetime * 1000 > Date.now()) continue;
      if (!(await objects.delete(name.slice(blank.length)))) return Date.now() + pause;
      await this.ctx.storage.delete(name);
    }
    return Date.now() + (places.size === armful ? pause : day);
  }

  /** @returns when to come again */
  async #prune(): Promise<number> {
    const { explanations, uploads, backlog, audit, settings } = services(this.env);
    const before = (days: number) => Date.now() - days * day;
    const deleted = await Promise.all([
      explanations.prune(new Date(before(settings.EXPLANATION_DAYS)).toISOString(), mostRows),
      uploads.prune(before(settings.EXPLANATION_DAYS), mostRows),
      backlog.prune(mostRows),
      audit.prune(before(settings.AUDIT_DAYS), mostRows),
    ]);
    return deleted.includes(mostRows) ? Date.now() : Date.now() + day;
  }
}
