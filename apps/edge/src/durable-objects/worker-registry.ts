import { DurableObject } from 'cloudflare:workers';
import type { Catalog, Order, Presence } from '@whylight/contract';
import { mergeCatalogs } from '../domain/offered-catalog.ts';
import type { NewOrder, PresenceReply, WorkerRegistryPort, Workers } from '../domain/ports.ts';
import { isPresent, isReady, isSame, type KnownWorker, workerOf } from '../domain/worker-presence.ts';
import type { Bindings } from '../env.ts';
import { Signal } from './signal.ts';

/** An order that its worker has not acknowledged yet. */
interface OpenOrder {
  readonly order: Order;
  /** Unix milliseconds: after this time nobody waits for it. */
  readonly until: number;
}

/** Milliseconds for which an order waits for the next report of its worker. */
const orderTime = 2 * 60_000;

/**
 * The workers that report their presence, what each can explain, and the orders for each. There is one object. Workers and their
 * catalogues are stored whenever they change; orders are in memory only, because each has a slower substitute: a worker whose
 * attempt is over is told so by the answer to its next report, and a model that is not warm is loaded by the first job.
 */
export class WorkerRegistry extends DurableObject<Bindings> implements WorkerRegistryPort {
  readonly #workers = new Map<string, KnownWorker>();
  readonly #catalogs = new Map<string, Catalog>();
  readonly #orders = new Map<string, OpenOrder[]>();
  readonly #signals = new Map<string, Signal>();

  constructor(context: DurableObjectState, bindings: Bindings) {
    super(context, bindings);
    context.blockConcurrencyWhile(async () => {
      const now = Date.now();
      for (const [, worker] of await context.storage.list<KnownWorker>({ prefix: 'worker/' }))
        this.#workers.set(worker.worker, { ...worker, reportedUntil: now });
      for (const [name, catalog] of await context.storage.list<Catalog>({ prefix: 'catalog/' }))
        this.#catalogs.set(name.slice('catalog/'.length), catalog);
    });
  }

  /** Notes that a worker is there, and holds the call until there is an order for it or its time is over. */
  async report(presence: Presence): Promise<PresenceReply> {
    const { worker: id, catalog, done, wait } = presence;
    const now = Date.now();
    const before = this.#workers.get(id);
    const worker = workerOf(presence, now);
    if (presence.state === 'stopped') await this.#forget(id);
    else await this.#keep(worker, catalog?.body ?? null);
    this.#acknowledge(id, new Set(done));
    const catalogKnown = catalog === null || this.#catalogs.has(catalog.digest);
    // A worker hears at once that it cannot serve, that it can again, and that its catalogue is not known.
    const isNews = worker.fault?.code !== before?.fault?.code || !catalogKnown;
    if (wait > 0 && !isNews && this.#open(id).length === 0) await this.#signalOf(id).wait(wait * 1000);
    const orders = this.#open(id).map(({ order }) => order);
    return { now: Date.now(), fault: worker.fault?.message ?? null, catalog_known: catalogKnown, orders };
  }

  /** Gives an order to a worker, which gets it at once if it has a report under way, else with its next one. */
  async order(id: string, asked: NewOrder): Promise<void> {
    const order = { ...asked, id: crypto.randomUUID() };
    this.#orders.set(id, [...this.#open(id), { order, until: Date.now() + orderTime }]);
    this.#signals.get(id)?.notify();
  }

  /** Gives an order to every ready worker. @returns how many these are */
  async orderAll(asked: NewOrder): Promise<number> {
    const ready = (await this.#present()).filter(isReady);
    for (const { worker } of ready) await this.order(worker, asked);
    return ready.length;
  }

  async read(): Promise<Workers> {
    const present = await this.#present();
    const catalogs = present
      .filter(isReady)
      .flatMap(({ catalog }) => this.#catalogs.get(catalog ?? '') ?? []);
    return { count: present.length, catalog: mergeCatalogs(catalogs) };
  }

  /** The workers that still report; forgets the others. */
  async #present(): Promise<KnownWorker[]> {
    for (const worker of [...this.#workers.values()])
      if (!isPresent(worker, Date.now())) await this.#forget(worker.worker);
    return [...this.#workers.values()];
  }

  async #keep(worker: KnownWorker, catalog: Catalog | null): Promise<void> {
    const before = this.#workers.get(worker.worker);
    this.#workers.set(worker.worker, worker);
    if (worker.catalog !== null && catalog && !this.#catalogs.has(worker.catalog)) {
      this.#catalogs.set(worker.catalog, catalog);
      await this.ctx.storage.put(`catalog/${worker.catalog}`, catalog);
    }
    if (before && isSame(before, worker)) return;
    const { fault, release, state } = worker;
    console.log(`worker ${worker.worker} of release ${release}: ${fault?.message ?? state}`);
    await this.ctx.storage.put(`worker/${worker.worker}`, worker);
    await this.#deleteUnusedCatalogs();
  }

  async #forget(id: string): Promise<void> {
    this.#orders.delete(id);
    this.#signals.delete(id);
    if (!this.#workers.delete(id)) return;
    console.log(`worker ${id}: gone`);
    await this.ctx.storage.delete(`worker/${id}`);
    await this.#deleteUnusedCatalogs();
  }

  async #deleteUnusedCatalogs(): Promise<void> {
    const used = new Set([...this.#workers.values()].map(({ catalog }) => catalog));
    for (const digest of [...this.#catalogs.keys()])
      if (!used.has(digest)) {
        this.#catalogs.delete(digest);
        await this.ctx.storage.delete(`catalog/${digest}`);
      }
  }

  #open(id: string): OpenOrder[] {
    return (this.#orders.get(id) ?? []).filter(({ until }) => until > Date.now());
  }

  #acknowledge(id: string, done: ReadonlySet<string>): void {
    const open = this.#open(id).filter(({ order }) => !done.has(order.id));
    if (open.length > 0) this.#orders.set(id, open);
    else this.#orders.delete(id);
  }

  #signalOf(id: string): Signal {
    const signal = this.#signals.get(id) ?? new Signal();
    this.#signals.set(id, signal);
    return signal;
  }
}
