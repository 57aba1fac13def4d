import { DurableObject } from 'cloudflare:workers';
import { type BatchItem, type BatchState, isOver } from '../domain/batch.ts';
import type { Excess } from '../domain/meter.ts';
import type { BatchPort, MeterPort } from '../domain/ports.ts';
import { LimitRefusal, Refusal, type RefusalCode } from '../domain/refusal.ts';
import { viewRun } from '../domain/waiters.ts';
import type { Bindings } from '../env.ts';
import { isOutage } from '../outage.ts';
import { isPassing } from '../problem-kinds.ts';
import { services } from '../services.ts';
import { createExplanation } from '../use-cases/creation.ts';

/** Milliseconds. */
const day = 24 * 3_600_000;
/** Items that a batch begins at a time. */
const atATime = 4;
/** Milliseconds after which the batch refuses items that the tenant's limits still hold back. */
const longest = day;
/** Milliseconds before the batch tries again to begin items: doubled after each failure, up to the longest. */
const pause = 1_000;
const longestPause = 30_000;
/** Times that the batch tries an item that fails because of a fault of the service. */
const mostFaults = 3;

/** Refusals after which an item waits for another try; other refusals are final. */
const temporary: ReadonlySet<RefusalCode> = new Set([
  'concurrency_limited',
  'capacity',
  'storage_unavailable',
]);

const outage = new Refusal('capacity', 'A part of this service does not answer.');
const fault = new Refusal(
  'internal',
  `The service failed each of the ${mostFaults} times that it tried this item. Give its operator the request id to find out why.`,
);

const faultsOf = (item: BatchItem): number => (item.state === 'waiting' ? (item.faults ?? 0) : 0);

/**
 * Explanations that one request asks for. Each is an ordinary one; items that exceed the tenant's limits wait here, and
 * the alarm begins them as others end.
 */
export class Batch extends DurableObject<Bindings> implements BatchPort {
  #state: BatchState | null = null;
  #pause = pause;
  /** True while the backlog counts this batch. */
  #isCounted = false;

  constructor(context: DurableObjectState, bindings: Bindings) {
    super(context, bindings);
    context.blockConcurrencyWhile(async () => {
      this.#state = (await context.storage.get<BatchState>('batch')) ?? null;
    });
  }

  /** Creates the batch, once: if the id exists already, the answer is the batch that exists. */
  async create(state: BatchState): Promise<BatchState | Excess> {
    if (this.#state) return this.#state;
    const excess = await this.#meter(state).beginBatch(state.id, state.createdAt + longest);
    if (excess) return excess;
    // A repeated request may have created it meanwhile.
    if (this.#state) return this.#state;
    await this.#keep(state);
    await this.ctx.storage.setAlarm(Date.now());
    return state;
  }

  /** The batch in its present state; null if there is none. */
  async read(): Promise<BatchState | null> {
    await this.#refresh();
    return this.#state;
  }

  /** Cancels all items that have not ended. */
  async cancel(): Promise<BatchState | null> {
    const state = this.#state;
    if (!state) return null;
    if (state.items.every(isOver)) return this.read();
    const world = services(this.env);
    await this.#keep({
      ...state,
      canceled: true,
      items: state.items.map((item) => (item.state === 'waiting' ? { state: 'canceled' } : item)),
    });
    await Promise.all(
      this.#openItems().map(({ item }) => world.computation(item.key).cancel(item.run, item.id)),
    );
    await this.ctx.storage.setAlarm(Date.now());
    return this.read();
  }

  override async alarm(): Promise<void> {
    /** Items that failed because of a fault of the service: a later alarm tries them again; other items do not wait for them. */
    const faulty = new Set<number>();
    for (;;) {
      if (!this.#state) return;
      const waiting = [...this.#state.items.entries()].filter(([, { state }]) => state === 'waiting');
      if (waiting.length === 0) return this.#finish(this.#state);
      if (await this.#lacksCatalog(this.#state)) break;
      const next = waiting.filter(([index]) => !faulty.has(index)).slice(0, atATime);
      if (next.length === 0) break;
      const begun = await Promise.all(
        next.map(async ([index, item]) => [index, await this.#begin(item)] as const),
      );
      await this.#replace(begun);
      const left = begun.filter(([, { state }]) => state === 'waiting');
      if (left.length < begun.length) this.#pause = pause;
      for (const [i, [index, item]] of begun.entries())
        if (faultsOf(item) > faultsOf(next[i]![1])) faulty.add(index);
      if (left.some(([index]) => !faulty.has(index))) break;
    }
    await this.ctx.storage.setAlarm(Date.now() + this.#pause);
    this.#pause = Math.min(2 * this.#pause, longestPause);
  }

  /** Checks whether the gateway still knows no catalog. Until it knows one, the batch waits, and the backlog counts it. */
  async #lacksCatalog({ id, createdAt }: BatchState): Promise<boolean> {
    const { catalogs, backlog } = services(this.env);
    const lacks = Date.now() < createdAt + longest && !(await catalogs.find());
    if (lacks) await backlog.enter('catalog', id);
    else if (this.#isCounted) await backlog.leave('catalog', id);
    this.#isCounted = lacks;
    return lacks;
  }

  /** No item waits any more. The batch can be read for as long as most explanations; then it deletes its storage. */
  async #finish(state: BatchState): Promise<void> {
    await this.#meter(state).endBatch(state.id);
    const over = state.createdAt + services(this.env).settings.EXPLANATION_DAYS * day;
    if (Date.now() < over) return this.ctx.storage.setAlarm(over);
    this.#state = null;
    await this.ctx.storage.deleteAll();
  }

  async #begin(item: BatchItem): Promise<BatchItem> {
    const { tenant, requestId, createdAt } = this.#state!;
    if (item.state !== 'waiting') return item;
    const { id, asked } = item;
    try {
      const creation = {
        id,
        tenant,
        requestId,
        asked,
        fresh: false,
        requestedAt: Date.now(),
        cancelAfter: null,
      };
      const { row, admission } = await createExplanation(services(this.env), creation);
      const { status } = viewRun(admission.run, id);
      return { state: 'made', id, key: row.key, run: row.run, status };
    } catch (error) {
      const refusal = error instanceof Refusal ? error : null;
      if (!refusal) console.error(`${requestId}: an item of a batch was not begun:`, error);
      const faults = faultsOf(item) + 1;
      const { code, message, errors } = refusal ?? (isOutage(error) ? outage : fault);
      if (code === 'internal' && faults < mostFaults) return { ...item, faults };
      if (temporary.has(code) && Date.now() < createdAt + longest) return item;
      const retryable = isPassing(code) || refusal instanceof LimitRefusal;
      return { state: 'refused', error: { code, detail: message, retryable, errors: [...errors] } };
    }
  }

  /** Reads the present status of all items that had not ended. */
  async #refresh(): Promise<void> {
    const world = services(this.env);
    const seen = this.#openItems().map(async ({ index, item }) => {
      const run = await world.computation(item.key).watch(item.run, item.id, null, 0);
      return [index, run ? { ...item, status: viewRun(run, item.id).status } : item] as const;
    });
    await this.#replace(await Promise.all(seen));
  }

  #openItems() {
    return [...(this.#state?.items.entries() ?? [])].flatMap(([index, item]) =>
      item.state === 'made' && !isOver(item) ? [{ index, item }] : [],
    );
  }

  /** Stores changed items. A canceled item stays canceled; if it has become an explanation meanwhile, cancels that. */
  async #replace(changed: readonly (readonly [number, BatchItem])[]): Promise<void> {
    if (!this.#state || changed.length === 0) return;
    const next = new Map(changed);
    const items = this.#state.items.map((item, index) => {
      const other = next.get(index);
      return other && !(item.state === 'canceled' && other.state !== 'made') ? other : item;
    });
    const late = this.#state.canceled ? changed.filter(([, { state }]) => state === 'made') : [];
    await this.#keep({ ...this.#state, items });
    for (const [, item] of late)
      if (item.state === 'made') await services(this.env).computation(item.key).cancel(item.run, item.id);
  }

  #meter({ tenant }: BatchState): MeterPort {
    return this.env.METER.getByName(tenant);
  }

  async #keep(state: BatchState): Promise<void> {
    this.#state = state;
    await this.ctx.storage.put('batch', state);
  }
}
