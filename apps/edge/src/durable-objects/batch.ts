import { DurableObject } from 'cloudflare:workers';
import { type BatchItem, type BatchState, isOver } from '../domain/batch.ts';
import type { Excess } from '../domain/meter.ts';
import type { BatchPort, MeterPort } from '../domain/ports.ts';
import { LimitRefusal, Refusal, type RefusalCode } from '../domain/refusal.ts';
import { viewRun } from '../domain/waiters.ts';
import type { Bindings } from '../env.ts';
import { isOutage } from '../outage.ts';
import { isPassing } from '../problem.ts';
import { services } from '../services.ts';
import { createExplanation } from '../use-cases/creation.ts';

/** Milliseconds. */
const day = 24 * 3_600_000;
/** Items that are begun at a time. */
const atATime = 4;
/** Milliseconds after which what has not found a place is refused. */
const longest = day;
/** Milliseconds between two looks for a place: doubled each time that there is none, up to the longest. */
const pause = 1_000;
const longestPause = 30_000;
/** Times that an item is begun which fails for a fault of this side. */
const mostFaults = 3;

/** What a place may be waited for; other refusals are final. */
const temporary: ReadonlySet<RefusalCode> = new Set([
  'concurrency_limited',
  'capacity',
  'storage_unavailable',
]);

const outage = new Refusal('capacity', 'A part of this service does not answer.');
const fault = new Refusal(
  'internal',
  `Something went wrong on this side, each of the ${mostFaults} times that it was tried. The request id helps to find out what.`,
);

const faultsOf = (item: BatchItem): number => (item.state === 'waiting' ? (item.faults ?? 0) : 0);

/**
 * Explanations that were asked for together. Each is an ordinary one; those for which the tenant has no place yet wait
 * here and are begun, on the alarm, as others end.
 */
export class Batch extends DurableObject<Bindings> implements BatchPort {
  #state: BatchState | null = null;
  #pause = pause;

  constructor(context: DurableObjectState, bindings: Bindings) {
    super(context, bindings);
    context.blockConcurrencyWhile(async () => {
      this.#state = (await context.storage.get<BatchState>('batch')) ?? null;
    });
  }

  /** Begins the batch, once: under an id that is there already, what is there is the answer. */
  async create(state: BatchState): Promise<BatchState | Excess> {
    if (this.#state) return this.#state;
    const excess = await this.#meter(state).beginBatch(state.id, state.createdAt + longest);
    if (excess) return excess;
    // The same may have been asked for meanwhile.
    if (this.#state) return this.#state;
    await this.#keep(state);
    await this.ctx.storage.setAlarm(Date.now());
    return state;
  }

  /** The batch as it stands; null when there is none. */
  async read(): Promise<BatchState | null> {
    await this.#look();
    return this.#state;
  }

  /** Gives up all that has not ended. */
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
    await Promise.all(this.#made().map(({ item }) => world.computation(item.key).cancel(item.run, item.id)));
    await this.ctx.storage.setAlarm(Date.now());
    return this.read();
  }

  override async alarm(): Promise<void> {
    /** Items that have failed for a fault of this side: they are tried again after a pause, and keep no other waiting. */
    const faulty = new Set<number>();
    for (;;) {
      if (!this.#state) return;
      const waiting = [...this.#state.items.entries()].filter(([, { state }]) => state === 'waiting');
      if (waiting.length === 0) return this.#rest(this.#state);
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

  /** Nothing waits any more. What has become of the items can be read for as long as most explanations can. */
  async #rest(state: BatchState): Promise<void> {
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
      const made = { id, tenant, requestId, asked, fresh: false, cancelAfter: null };
      const { row, admission } = await createExplanation(services(this.env), made);
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

  /** Looks how those stand that had not ended. */
  async #look(): Promise<void> {
    const world = services(this.env);
    const seen = this.#made().map(async ({ index, item }) => {
      const run = await world.computation(item.key).watch(item.run, item.id, null, 0);
      return [index, run ? { ...item, status: viewRun(run, item.id).status } : item] as const;
    });
    await this.#replace(await Promise.all(seen));
  }

  #made() {
    return [...(this.#state?.items.entries() ?? [])].flatMap(([index, item]) =>
      item.state === 'made' && !isOver(item) ? [{ index, item }] : [],
    );
  }

  /** What was canceled meanwhile stays so, unless it has become an explanation: then that is canceled. */
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
