import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Catalog,
  type Order,
  orderSchema,
  type Presence as PresenceReport,
  presenceAnswerSchema,
  presencePath,
  reportPeriod,
  workerPaths,
} from '@whylight/contract';
import { numericsVersion } from '@whylight/core/methods';
import { z } from 'zod';
import type { Log } from '../telemetry/log.ts';
import { pauseAfter, postToGateway } from './gateway-call.ts';

/** What a report says of this worker. */
export interface Reported {
  readonly phase: PresenceReport['state'];
  /** Absent while the models are loaded. */
  readonly catalog?: Catalog;
}

export interface PresenceSettings {
  /** The name of this worker. */
  readonly worker: string;
  readonly secret: string;
  readonly log: Log;
  /** The release of this worker. */
  readonly release: string;
  readonly state: () => Reported;
  readonly onOrder: (order: Order) => void;
  /** Seconds for which the gateway may hold a report. */
  readonly period?: number;
  /** Milliseconds before a report that failed is repeated; doubled each time, up to 10 s. */
  readonly patience?: number;
}

type Call = Awaited<ReturnType<typeof postToGateway>>;

/** Milliseconds for an answer that the gateway does not hold. */
const answerTime = 10_000;
/** Milliseconds after which a gateway without presence reports, one of an earlier release, is asked again. */
const withoutReports = 60_000;
/** Milliseconds that a report takes at least, so that a gateway which answers at once is not asked without end. */
const shortestReport = 1_000;

const refusalSchema = z.object({ code: z.string(), detail: z.string() });

/**
 * Reports to the gateway that this worker is there, one report after another, as soon as it knows the gateway's address, and hands
 * on the gateway's orders. `fault` says why the gateway cannot use this worker.
 */
export class Presence {
  readonly #settings: Required<PresenceSettings>;
  readonly #stopping = new AbortController();
  #changed = new AbortController();
  #address: string | null = null;
  #reporting: Promise<void> = Promise.resolve();
  #fault: string | null = null;
  #done: string[] = [];
  /** Whether the gateway lacks the catalogue of the digest that it got last. */
  #sendsCatalog = true;
  #digest: { readonly of: Catalog; readonly text: string } | null = null;

  constructor(settings: PresenceSettings) {
    this.#settings = { period: reportPeriod, patience: 500, ...settings };
  }

  /** Why the gateway cannot use this worker; null if it can, or if nobody knows. */
  get fault(): string | null {
    return this.#fault;
  }

  /** Names the gateway: its own address, or that of any of its routes. The first call starts the reports. */
  learn(address: string): void {
    const url = URL.parse(presencePath, address)?.href;
    if (url === undefined || this.#stopping.signal.aborted) return;
    const isFirst = this.#address === null;
    this.#address = url;
    if (isFirst) this.#reporting = this.#report();
  }

  /** Reports at once, because the state has changed. */
  announce(): void {
    this.#changed.abort();
  }

  /** Ends the reports, with a last one that this worker stops. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#reporting;
    if (this.#address !== null) await this.#call({ state: 'stopped', wait: 0 }, AbortSignal.timeout(2_000));
  }

  async #report(): Promise<void> {
    const { period, patience } = this.#settings;
    const { signal: stopping } = this.#stopping;
    let failures = 0;
    // The first report is answered at once: so the worker knows before its first job whether the gateway can use it.
    let wait = 0;
    while (!stopping.aborted) {
      this.#changed = new AbortController();
      const ended = AbortSignal.any([stopping, this.#changed.signal]);
      const since = performance.now();
      const call = await this.#call({ wait }, ended);
      if (ended.aborted) {
        wait = 0;
        continue;
      }
      const isAccepted = call.status === 200 && this.#readAnswer(call);
      if (!isAccepted) this.#readRefusal(call);
      failures = isAccepted ? 0 : failures + 1;
      const least = wait === 0 ? 0 : shortestReport - (performance.now() - since);
      wait = isAccepted && !this.#sendsCatalog && this.#done.length === 0 ? period : 0;
      const pause = isAccepted
        ? least
        : call.status === 404
          ? withoutReports
          : pauseAfter(failures, patience);
      if (pause > 0) await sleep(pause, undefined, { signal: ended }).catch(() => {});
    }
  }

  /** Sends a report. Never rejects; what is aborted has status 0. */
  async #call(
    { wait, state = this.#settings.state().phase }: Pick<PresenceReport, 'wait'> & Partial<PresenceReport>,
    ended: AbortSignal,
  ): Promise<Call> {
    const { worker, secret, release } = this.#settings;
    const report: PresenceReport = {
      ...{ worker, release, state, wait },
      contract: workerPaths.jobs,
      numerics_version: numericsVersion,
      clock: Date.now(),
      catalog: this.#catalog(),
      done: this.#done,
    };
    const signal = AbortSignal.any([ended, AbortSignal.timeout(wait * 1000 + answerTime)]);
    return postToGateway(this.#address!, report, { secret, signal });
  }

  #catalog(): PresenceReport['catalog'] {
    const { catalog } = this.#settings.state();
    if (!catalog) return null;
    if (this.#digest?.of !== catalog) {
      const text = createHash('sha256').update(JSON.stringify(catalog)).digest('hex');
      this.#digest = { of: catalog, text };
    }
    return { digest: this.#digest!.text, ...(this.#sendsCatalog && { body: catalog }) };
  }

  /** @returns false if the answer is none of a gateway that takes presence reports */
  #readAnswer({ body }: Call): boolean {
    const answer = presenceAnswerSchema.safeParse(body);
    if (!answer.success) return false;
    const { fault, catalog_known, orders } = answer.data;
    this.#setFault(fault);
    this.#sendsCatalog = !catalog_known;
    this.#done = orders.flatMap((order) => this.#execute(order));
    return true;
  }

  #execute(order: unknown): string[] {
    const known = orderSchema.safeParse(order);
    if (known.success) this.#settings.onOrder(known.data);
    else this.#settings.log('order_unknown');
    const { data } = z.object({ id: z.string() }).safeParse(order);
    return data ? [data.id] : [];
  }

  /** A gateway that does not answer, or knows no presence reports, says nothing about this worker. */
  #readRefusal({ status, body }: Call): void {
    const { data } = refusalSchema.safeParse(body);
    if (data?.code === 'wrong_clock') this.#setFault(data.detail);
    else if (data?.code === 'invalid_signature')
      this.#setFault('the gateway does not accept the signature: set the same WORKER_SECRET on both sides');
    else if (status === 404) this.#setFault(null);
  }

  #setFault(fault: string | null): void {
    if (fault !== null && this.#fault === null) this.#settings.log('worker_not_ready', { reason: fault });
    if (fault === null && this.#fault !== null) this.#settings.log('worker_ready_again');
    this.#fault = fault;
  }
}
