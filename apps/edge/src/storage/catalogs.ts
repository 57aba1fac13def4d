import { type Catalog, catalogSchema } from '@whylight/contract';
import type { OfferedCatalog } from '../domain/offered-catalog.ts';
import type { WorkerRegistryPort } from '../domain/ports.ts';
import { Refusal } from '../domain/refusal.ts';
import type { GpuWorker } from './gpu-worker.ts';

/** Milliseconds for which a catalogue counts as known, and after which the gateway asks a worker itself again. */
const freshFor = 10_000;
const askEvery = 30_000;

/**
 * Reads the catalogue of all ready workers and keeps it for 10 s in this isolate and for ever in D1, so that the gateway accepts
 * requests while no worker is there. Every 30 s it also asks one worker for its catalogue: this worker then knows the gateway and
 * can report its presence. While no ready worker reports, that catalogue counts.
 */
export class Catalogs {
  readonly #db: D1Database;
  readonly #worker: Pick<GpuWorker, 'catalog'>;
  readonly #registry: () => Pick<WorkerRegistryPort, 'read'>;
  #known: { readonly catalog: OfferedCatalog; readonly at: number } | null = null;
  #askedAt = 0;
  #kept = { body: '', at: 0 };

  constructor(
    db: D1Database,
    worker: Pick<GpuWorker, 'catalog'>,
    registry: () => Pick<WorkerRegistryPort, 'read'>,
  ) {
    this.#db = db;
    this.#worker = worker;
    this.#registry = registry;
  }

  /** @throws Refusal `capacity` when no worker has ever been seen. */
  async get(): Promise<OfferedCatalog> {
    const catalog = await this.find();
    if (!catalog) throw new Refusal('capacity', 'No worker is up yet. Try again in a moment.');
    return catalog;
  }

  /** The catalog; null when no worker has ever been seen. */
  async find(): Promise<OfferedCatalog | null> {
    if (this.#known && Date.now() - this.#known.at < freshFor) return this.#known.catalog;
    const catalog = (await this.#readNow()) ?? (await this.#stored());
    if (catalog) this.#known = { catalog, at: Date.now() };
    return catalog;
  }

  async #readNow(): Promise<OfferedCatalog | null> {
    const isDue = Date.now() - this.#askedAt >= askEvery;
    const [reported, asked] = await Promise.all([this.#read(), isDue ? this.#ask() : null]);
    const catalog = reported ?? asked ?? (isDue ? null : await this.#ask());
    if (catalog) await this.#keep(catalog);
    return catalog;
  }

  async #read(): Promise<OfferedCatalog | null> {
    try {
      return (await this.#registry().read()).catalog;
    } catch (error) {
      console.error('the registry of workers does not answer:', error);
      return null;
    }
  }

  async #ask(): Promise<Catalog | null> {
    this.#askedAt = Date.now();
    try {
      return await this.#worker.catalog();
    } catch (error) {
      console.warn('The worker gave no catalog:', error instanceof Error ? error.message : error);
      return null;
    }
  }

  async #keep(catalog: Catalog): Promise<void> {
    const body = JSON.stringify(catalog);
    // The metrics show when this row was last written: when a worker was last seen.
    if (body === this.#kept.body && Date.now() - this.#kept.at < askEvery) return;
    try {
      await this.#db
        .prepare('INSERT OR REPLACE INTO catalog (id, body, seen_at) VALUES (1, ?, ?)')
        .bind(body, new Date().toISOString())
        .run();
      this.#kept = { body, at: Date.now() };
    } catch (error) {
      console.error('the catalog was not kept:', error);
    }
  }

  async #stored(): Promise<Catalog | null> {
    const body = await this.#db.prepare('SELECT body FROM catalog WHERE id = 1').first<string>('body');
    const parsed = catalogSchema.safeParse(body === null ? null : JSON.parse(body));
    return parsed.success ? parsed.data : null;
  }
}
