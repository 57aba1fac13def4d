import { DurableObject } from 'cloudflare:workers';
import type { Style } from '@whylight/contract';
import type { Creation } from '../domain/creation.ts';
import type { Excess } from '../domain/meter.ts';
import type { MeterPort, UnresolvedExplanationPort } from '../domain/ports.ts';
import { LimitRefusal, Refusal, type RefusalCode } from '../domain/refusal.ts';
import { deliveryTime, isTerminal, meterId, type Run } from '../domain/run.ts';
import { eventsSince, type RunEvents } from '../domain/run-events.ts';
import { failRun } from '../domain/transitions.ts';
import { failureOf, longestUnresolved, noWorkerYet } from '../domain/unresolved.ts';
import {
  cancelWaiter,
  expireWaiters,
  markNotified,
  nextDeadline,
  unnotifiedWaiters,
  viewRun,
} from '../domain/waiters.ts';
import { endEvent } from '../domain/webhook-event.ts';
import type { Bindings } from '../env.ts';
import { isOutage } from '../outage.ts';
import { isPassing } from '../problem-kinds.ts';
import { type Services, services } from '../services.ts';
import { createExplanation } from '../use-cases/creation.ts';
import { Signal } from './signal.ts';

/** Milliseconds. */
const day = 24 * 3_600_000;
/** Milliseconds for which the object outlives the row that leads to it. */
const margin = 30 * day;
/** Milliseconds before it looks for a catalog again: doubled after each try, up to the longest. */
const pause = 1_000;
const longestPause = 15_000;
/** Every so many tries the row in the backlog is refreshed: at most a minute apart. */
const triesToRefresh = 4;
/** Milliseconds for which it passes on calls of those who read the row before it had a computation. */
const passingOn = 10 * 60_000;
/** Times that it tries a creation that fails because of a fault of the service. */
const mostFaults = 3;

/** Refusals after which the creation is tried again; other refusals are final. */
const temporary: ReadonlySet<RefusalCode> = new Set([
  'concurrency_limited',
  'capacity',
  'storage_unavailable',
]);

const outage = new Refusal('capacity', 'A part of this service does not answer.');
const fault = new Refusal(
  'internal',
  `The service failed each of the ${mostFaults} times that it tried to begin this explanation. Give its operator the request id to find out why.`,
);

interface State {
  readonly creation: Creation;
  /** What stands for the explanation until it has a computation. */
  readonly run: Run;
  readonly tries: number;
  readonly faults: number;
  /** The computation that answers it, once there is one. */
  readonly resolved: { readonly key: string; readonly run: number } | null;
  /** When this object may forget everything (unix milliseconds); null while the explanation waits. */
  readonly forgetAt: number | null;
}

/**
 * An explanation that was accepted while no worker had told which models there are. It waits, ends and is read as a run with one
 * waiter. The alarm looks for a catalog. When there is one, it creates the explanation as a request would, and from then on its
 * computation answers.
 */
export class UnresolvedExplanation extends DurableObject<Bindings> implements UnresolvedExplanationPort {
  readonly #changed = new Signal();
  #state: State | null = null;
  /** States of the run that this object has seen, for readers of events. */
  #past: readonly Run[] = [];
  #resolution: Promise<void> | null = null;

  constructor(context: DurableObjectState, bindings: Bindings) {
    super(context, bindings);
    context.blockConcurrencyWhile(async () => {
      this.#state = (await context.storage.get<State>('state')) ?? null;
      if (this.#state) this.#past = [this.#state.run];
    });
  }

  /** Accepts the explanation once: if it exists, the answer is what exists. */
  async create(creation: Creation, run: Run): Promise<Run | Excess> {
    if (this.#state) return this.#state.run;
    const excess = await this.#meter(creation).begin(meterId(run), run.submission.units);
    if (excess) return excess;
    // A repeated request may have created it meanwhile.
    if (this.#state) return (this.#state as State).run;
    await this.#keep({ creation, run, tries: 0, faults: 0, resolved: null, forgetAt: null });
    await this.#services.backlog.enter('catalog', creation.id);
    await this.ctx.storage.setAlarm(Date.now() + pause);
    return run;
  }

  async watch(_: number, waiter: string, style: Style | null, seconds: number): Promise<Run | null> {
    const end = Date.now() + seconds * 1000;
    await this.#waitUntil(end, () => isTerminal(this.#state!.run));
    if (!this.#state?.resolved) return this.#state?.run ?? null;
    const { key, run } = this.#state.resolved;
    return this.#services.computation(key).watch(run, waiter, style, secondsTo(end));
  }

  async readEvents(
    _: number,
    waiter: string,
    after: number | null,
    seconds: number,
  ): Promise<RunEvents | null> {
    const end = Date.now() + seconds * 1000;
    const read = () => eventsSince(this.#past, waiter, after);
    await this.#waitUntil(end, () => read().events.length > 0 || read().done);
    if (!this.#state?.resolved) return this.#state && read();
    const { key, run } = this.#state.resolved;
    return this.#services.computation(key).readEvents(run, waiter, after, secondsTo(end));
  }

  async cancel(_: number, waiter: string): Promise<boolean> {
    await this.#untilUnlocked();
    if (!this.#state) return false;
    const { resolved, run } = this.#state;
    if (resolved) return this.#services.computation(resolved.key).cancel(resolved.run, waiter);
    await this.#end(cancelWaiter(run, waiter, Date.now()));
    return false;
  }

  async erase(number: number, waiter: string): Promise<void> {
    await this.cancel(number, waiter);
    if (!this.#state) return;
    const { resolved } = this.#state;
    if (resolved) return this.#services.computation(resolved.key).erase(resolved.run, waiter);
    await this.#keep({ ...this.#state, forgetAt: Date.now() });
    await this.ctx.storage.setAlarm(Date.now());
  }

  override async alarm(): Promise<void> {
    const state = this.#state;
    if (!state) return;
    if (state.forgetAt === null) {
      this.#resolution = this.#advance(state, Date.now()).finally(() => {
        this.#resolution = null;
      });
      return this.#resolution;
    }
    if (!(await this.#notify(state))) return this.ctx.storage.setAlarm(Date.now() + deliveryTime);
    if (Date.now() < state.forgetAt) return this.ctx.storage.setAlarm(state.forgetAt);
    this.#state = null;
    await this.ctx.storage.deleteAll();
  }

  /** Ends the explanation if its time is over, gives it its computation if there is a catalog, or tries again later. */
  async #advance(state: State, now: number): Promise<void> {
    const { creation, run } = state;
    const expired = expireWaiters(run, now);
    if (expired !== run) return this.#end(expired);
    const isLate = now >= creation.requestedAt + longestUnresolved;
    if (!(await this.#services.catalogs.find()))
      return isLate ? this.#end(failRun(run, noWorkerYet, now)) : this.#tryLater(state);
    // The computation takes a place of its own, at the meter and in the backlog: both may be full.
    await this.#meter(creation).release(meterId(run));
    await this.#services.backlog.leave('catalog', creation.id);
    try {
      const { row } = await createExplanation(this.#services, creation);
      const resolved = { key: row.key, run: row.run };
      await this.#keep({ ...state, resolved, forgetAt: Date.now() + passingOn });
      await this.ctx.storage.setAlarm(Date.now() + passingOn);
    } catch (error) {
      const faults = state.faults + 1;
      if (!(error instanceof Refusal))
        console.error(`${creation.requestId}: an explanation was not begun:`, error);
      const refusal = error instanceof Refusal ? error : isOutage(error) ? outage : fault;
      const isOver = refusal === fault ? faults >= mostFaults : isLate || !temporary.has(refusal.code);
      const retryable = isPassing(refusal.code) || refusal instanceof LimitRefusal;
      if (isOver) return this.#end(failRun(run, failureOf(refusal, retryable), Date.now()));
      await this.#meter(creation).begin(meterId(run), run.submission.units);
      await this.#services.backlog.enter('catalog', creation.id);
      await this.#tryLater({ ...state, faults: refusal === fault ? faults : state.faults });
    }
  }

  async #tryLater(state: State): Promise<void> {
    const { creation, run, tries } = state;
    await this.#keep({ ...state, tries: tries + 1 });
    if (tries % triesToRefresh === 0) await this.#services.backlog.enter('catalog', creation.id);
    const next = Date.now() + Math.min(pause * 2 ** tries, longestPause);
    await this.ctx.storage.setAlarm(Math.min(next, nextDeadline(run)));
  }

  /** The explanation ends without a computation. It can be read as long as others; then the alarm deletes what is stored. */
  async #end(next: Run): Promise<void> {
    const state = this.#state;
    if (!state || next === state.run) return;
    const run = { ...next, version: next.version + 1 };
    const days = this.#services.settings.EXPLANATION_DAYS;
    await this.#keep({ ...state, run, forgetAt: run.keepUntil + days * day + margin });
    await this.ctx.storage.setAlarm(Date.now());
    await this.#services.backlog.leave('catalog', state.creation.id);
    await this.#meter(state.creation).end(meterId(run), 0);
  }

  /** @returns whether nobody has to be told of the end any more */
  async #notify(state: State): Promise<boolean> {
    const { resolved, run, creation } = state;
    const [waiter] = resolved ? [] : unnotifiedWaiters(run);
    if (waiter === undefined) return true;
    const { tenant, asked } = creation;
    try {
      const address = { tenant, id: asked.webhook! };
      await this.#services
        .webhookDeliveries(address.id)
        .deliver(address, endEvent(waiter, viewRun(run, waiter)));
    } catch (error) {
      console.error('an event was not handed over to a webhook; the alarm tries it again', error);
      return false;
    }
    await this.#keep({ ...this.#state!, run: markNotified(run, [waiter]) });
    return true;
  }

  get #services(): Services {
    return services(this.env);
  }

  #meter({ tenant }: Creation): MeterPort {
    return this.#services.meter(tenant);
  }

  async #untilUnlocked(): Promise<void> {
    while (this.#resolution) await this.#resolution;
  }

  /** Waits until the explanation has its computation, its run is as `isEnough` says, or it is `end`. */
  async #waitUntil(end: number, isEnough: () => boolean): Promise<void> {
    while (this.#state && !this.#state.resolved && !isEnough() && Date.now() < end)
      await this.#changed.wait(end - Date.now());
  }

  async #keep(state: State): Promise<void> {
    if (this.#state?.run.version !== state.run.version) this.#past = [...this.#past, state.run];
    this.#state = state;
    this.#changed.notify();
    await this.ctx.storage.put('state', state);
  }
}

const secondsTo = (end: number): number => Math.max(0, end - Date.now()) / 1000;
