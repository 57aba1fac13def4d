import { type Catalog, catalogSchema } from '@whylight/contract';
import { Refusal } from '../domain/refusal.ts';
import type { GpuWorker } from './gpu-worker.ts';

const freshFor = 30_000;

/**
 * Reads the catalog from the worker and keeps it for 30 s in this isolate and for ever in D1, so that the gateway
 * accepts requests while the worker is away.
 */
export class Catalogs {
  readonly #db: D1Database;
  readonly #worker: GpuWorker;
  #known: { readonly catalog: Catalog; readonly at: number } | null = null;

  constructor(db: D1Database, worker: GpuWorker) {
    this.#db = db;
    this.#worker = worker;
  }

  /** @throws Refusal `capacity` when no worker has ever been seen. */
  async get(): Promise<Catalog> {
    const catalog = await this.find();
    if (!catalog) throw new Refusal('capacity', 'No worker is up yet. Try again in a moment.');
    return catalog;
  }

  /** The catalog; null when no worker has ever been seen. */
  async find(): Promise<Catalog | null> {
    if (this.#known && Date.now() - this.#known.at < freshFor) return this.#known.catalog;
    const catalog = (await this.#ask()) ?? (await this.#stored());
    if (catalog) this.#known = { catalog, at: Date.now() };
    return catalog;
  }

  async #ask(): Promise<Catalog | null> {
    try {
      const catalog = await this.#worker.catalog();
      await this.#keep(catalog).catch((error: unknown) => console.error('the catalog was not kept:', error));
      return catalog;
    } catch (error) {
      console.warn('The worker gave no catalog:', error instanceof Error ? error.message : error);
      return null;
    }
  }

  async #keep(catalog: Catalog): Promise<void> {
    await this.#db
      .prepare('INSERT OR REPLACE INTO catalog (id, body, seen_at) VALUES (1, ?, ?)')
      .bind(JSON.stringify(catalog), new Date().toISOString())
      .run();
  }

  async #stored(): Promise<Catalog | null> {
    const body = await this.#db.prepare('SELECT body FROM catalog WHERE id = 1').first<string>('body');
    const parsed = catalogSchema.safeParse(body === null ? null : JSON.parse(body));
    return parsed.success ? parsed.data : null;
  }
}
