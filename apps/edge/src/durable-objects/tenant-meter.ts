import { DurableObject } from 'cloudflare:workers';
import {
  at,
  begin,
  beginBatch,
  defaultLimits,
  type Excess,
  end,
  endBatch,
  type Limits,
  type Meter,
  newMeter,
  release,
  request,
  type StoredMeter,
  type Usage,
  upgradeMeter,
} from '../domain/meter.ts';
import type { MeterPort } from '../domain/ports.ts';
import { longestQueueTime, longestRun } from '../domain/run.ts';
import type { Bindings } from '../env.ts';

/** Days of usage that are kept. */
const remembered = 90;

/** Counts the usage of one tenant in one place, so exactly. */
export class TenantMeter extends DurableObject<Bindings> implements MeterPort {
  #meter: Meter = newMeter(defaultLimits, 0);

  constructor(context: DurableObjectState, bindings: Bindings) {
    super(context, bindings);
    context.blockConcurrencyWhile(async () => {
      const stored = await context.storage.get<StoredMeter>('meter');
      if (stored) this.#meter = upgradeMeter(stored);
    });
  }

  async read(): Promise<Meter> {
    return at(this.#meter, Date.now());
  }

  /** Counts a request; answers with the meter, and with the excess if it is one too many. */
  async request(): Promise<{ meter: Meter; excess: Excess | null }> {
    const now = Date.now();
    return this.#take(request(at(this.#meter, now), now));
  }

  /** Opens a computation that will cost `units`. */
  async begin(id: string, units: number): Promise<Excess | null> {
    const now = Date.now();
    const until = now + longestQueueTime + 2 * longestRun;
    return (await this.#take(begin(at(this.#meter, now), id, units, until, now))).excess;
  }

  /** Closes a computation, which cost `units`. */
  async end(id: string, units: number): Promise<void> {
    await this.#keep(end(at(this.#meter, Date.now()), id, units));
  }

  /** Frees the place of a computation that another one takes over. */
  async release(id: string): Promise<void> {
    await this.#keep(release(at(this.#meter, Date.now()), id));
  }

  /** Counts a batch as one that waits, until it is told otherwise, or `until` (unix milliseconds). */
  async beginBatch(id: string, until: number): Promise<Excess | null> {
    return (await this.#take(beginBatch(at(this.#meter, Date.now()), id, until))).excess;
  }

  async endBatch(id: string): Promise<void> {
    await this.#keep(endBatch(at(this.#meter, Date.now()), id));
  }

  async limit(limits: Limits): Promise<Meter> {
    await this.#keep({ ...at(this.#meter, Date.now()), limits });
    return this.#meter;
  }

  /** Newest first. */
  async usage(): Promise<Usage[]> {
    const days = await this.ctx.storage.list<Usage>({ prefix: 'day/', reverse: true, limit: remembered });
    return [...days.values()];
  }

  async #take(result: Meter | Excess): Promise<{ meter: Meter; excess: Excess | null }> {
    if ('policy' in result) return { meter: await this.read(), excess: result };
    await this.#keep(result);
    return { meter: result, excess: null };
  }

  async #keep(meter: Meter): Promise<void> {
    const isNewDay = meter.today.date !== this.#meter.today.date;
    this.#meter = meter;
    await this.ctx.storage.put({ meter, [`day/${meter.today.date}`]: meter.today });
    if (!isNewDay) return;
    const days = await this.ctx.storage.list({ prefix: 'day/', reverse: true });
    await this.ctx.storage.delete([...days.keys()].slice(remembered));
  }
}
