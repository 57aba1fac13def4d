import { DurableObject } from 'cloudflare:workers';
import type { Job, JobError, Report } from '@whylight/contract';
import { Bell } from './bell.ts';
import {
  type Boarding,
  type FlightPort,
  isTerminal,
  jobOf,
  lateWrites,
  meterId,
  type Pass,
  type Run,
  type Submission,
  stalePrefixes,
  unitsSpent,
} from './domain/flight.ts';
import type { Excess } from './domain/meter.ts';
import { type News, newsSince } from './domain/news.ts';
import { cancel, expire, join, nextLook, seenBy } from './domain/riders.ts';
import { apply, begin, delivered, fail, isRepeated, overdue, taken } from './domain/transitions.ts';
import { type Bindings, settings } from './env.ts';
import { Backlog } from './storage/backlog.ts';
import { GpuWorker } from './storage/gpu-worker.ts';
import { Objects } from './storage/objects.ts';
import { Sweeper } from './sweeper.ts';
import type { TenantMeter } from './tenant-meter.ts';

/** What the queue carries: which attempt of which flight to hand to a worker. */
export interface Departure {
  readonly key: string;
  readonly attempt: number;
}

/** States that are remembered, for those who follow and lose the line. */
const remembered = 100;

/** What a run says that does not say it. */
const unsaid = { version: 0, riders: {}, owner: null, erased: false, metered: true };

const name = (run: number): string => `run/${run}`;

/**
 * The computation of one cache key, of which there is one object in the world: identical requests meet here
 * and run once. Its alarm is the watchdog, so that a lost message or a dead worker ends in another attempt
 * or in a named error, never in silence.
 */
export class Flight extends DurableObject<Bindings> implements FlightPort {
  #last: Run | null = null;
  /** States of the last run, as far as this object has seen them; the present one is the last. */
  #past: readonly Run[] = [];
  readonly #bell = new Bell();
  readonly #backlog: Backlog;
  readonly #sweeper: Sweeper;

  constructor(context: DurableObjectState, bindings: Bindings) {
    super(context, bindings);
    this.#backlog = new Backlog(bindings.DB);
    this.#sweeper = new Sweeper(context.storage);
    context.blockConcurrencyWhile(async () => {
      await this.#sweeper.load();
      const last = await context.storage.get<number>('last');
      if (last !== undefined) this.#last = await this.#load(last);
    });
  }

  /** The finished result, if there is one. */
  async known(): Promise<Run | null> {
    return this.#last?.status === 'succeeded' && !this.#last.erased ? this.#last : null;
  }

  /** Joins the run under way, returns the finished one (unless `fresh`), or starts the next. */
  async submit(submission: Submission, fresh: boolean, pass: Pass): Promise<Boarding | Excess> {
    const joined = await this.#joinKnown(fresh, pass);
    if (joined) return joined;
    // Whoever comes while the meter is asked asks it for the same run, which is counted once.
    const id = meterId(begin(this.#last, submission, Date.now()));
    const excess = await this.#meter(submission).begin(id, submission.units);
    return excess ?? (await this.#joinKnown(fresh, pass)) ?? this.#depart(submission, fresh, pass);
  }

  async #joinKnown(fresh: boolean, pass: Pass): Promise<Boarding | null> {
    const last = this.#last;
    const before = last?.riders[pass.id];
    if (last && before) return { run: last, via: before.via };
    if (last && !isTerminal(last)) {
      await this.#keep(join(last, pass, 'collapsed'));
      return { run: this.#last!, via: 'collapsed' };
    }
    const known = await this.known();
    return known && !fresh ? { run: known, via: 'hit' } : null;
  }

  async #depart(submission: Submission, fresh: boolean, pass: Pass): Promise<Boarding> {
    const last = this.#last;
    const via = fresh ? 'bypass' : 'miss';
    const run = join(begin(last, submission, Date.now()), pass, via);
    // In memory before the message leaves, so that a second request meanwhile joins; stored only after it
    // has left, so that a queue that is down leaves nothing behind.
    this.#last = run;
    try {
      await this.#backlog.enter(submission.key);
      await this.#send(run);
    } catch (error) {
      await this.#unbegin(run, last);
      throw error;
    }
    // The queue may have been quicker than its answer: what it has brought about since stands.
    if (this.#last === run) await this.#keep(run);
    return { run: this.#last, via };
  }

  /** Run `number` as soon as it has ended for `rider`, at the latest after `seconds`; null if there is none. */
  async watch(number: number, rider: string, seconds: number): Promise<Run | null> {
    const end = Date.now() + seconds * 1000;
    for (;;) {
      const run = await this.#find(number);
      const left = end - Date.now();
      if (!run || isTerminal(seenBy(run, rider)) || left <= 0) return run;
      await this.#bell.wait(left);
    }
  }

  /** What happened to `rider` after event `after`; waits up to `seconds` for something to happen. */
  async news(number: number, rider: string, after: number | null, seconds: number): Promise<News | null> {
    const end = Date.now() + seconds * 1000;
    for (;;) {
      const run = await this.#find(number);
      if (!run) return null;
      const past = this.#past.filter((state) => state.number === number);
      const news = newsSince(past.length > 0 ? past : [run], rider, after);
      const left = end - Date.now();
      if (news.events.length > 0 || news.done || left <= 0) return news;
      await this.#bell.wait(left);
    }
  }

  /** Ends `rider`'s part of the run, if it has not ended. @returns whether work under way was stopped by that */
  async cancel(number: number, rider: string): Promise<boolean> {
    const run = this.#last;
    if (run?.number !== number) return false;
    const next = cancel(run, rider, Date.now());
    if (next !== run) await this.#keep(next);
    return run.status === 'processing' && isTerminal(next);
  }

  /** Ends `rider`'s part, and if the result is its own deletes that too, for everybody. */
  async erase(number: number, rider: string): Promise<void> {
    await this.cancel(number, rider);
    const run = await this.#find(number);
    if (!run || run.owner !== rider || !isTerminal(run) || run.erased) return;
    const erased: Run = { ...run, result: null, artifacts: [], erased: run.status === 'succeeded' };
    if (this.#last?.number === number) this.#last = erased;
    await this.ctx.storage.put(name(number), erased);
    await this.#sweeper.plan(stalePrefixes(erased), Date.now());
    await this.#sweep();
  }

  /** The job of `attempt`, or null when it was delivered or is over, and its message is to be dropped. */
  async job(attempt: number): Promise<Job | null> {
    const run = this.#undelivered(attempt);
    if (!run) return null;
    await this.#keep(delivered(run, Date.now()));
    return jobOf(run, new URL(`/internal/reports/${run.submission.key}`, this.env.PUBLIC_URL).href);
  }

  /** A worker has answered 202. */
  async taken(attempt: number): Promise<void> {
    const run = this.#undelivered(attempt);
    if (run) await this.#keep(taken(run, Date.now()));
  }

  /** `attempt` cannot be delivered. */
  async fail(attempt: number, error: JobError): Promise<void> {
    const run = this.#undelivered(attempt);
    if (run) await this.#keep(fail(run, error, Date.now()));
  }

  /** What a worker says; false when it is no longer its turn to speak. */
  async report(report: Report): Promise<boolean> {
    const run = this.#last;
    if (!run) return false;
    if (isRepeated(run, report)) return true;
    const next = apply(run, report, Date.now());
    if (!next) return false;
    await this.#keep(next);
    if (next.attempt !== run.attempt) await this.#send(next);
    return true;
  }

  override async alarm(): Promise<void> {
    await this.#sweep();
    const run = this.#last;
    if (run && isTerminal(run) && !run.metered) await this.#settle(run);
    if (!run || isTerminal(run)) return this.#schedule();
    const now = Date.now();
    const rest = expire(run, now);
    const next = isTerminal(rest) || now < rest.deadline ? rest : overdue(rest, now);
    if (next !== run) await this.#keep(next);
    if (!isTerminal(next) && next.attempt !== run.attempt) await this.#send(next);
  }

  #undelivered(attempt: number): Run | null {
    const run = this.#last;
    return run && run.attempt === attempt && run.status === 'queued' && !run.taken ? run : null;
  }

  /** As if `run` had never been. Some may have joined it meanwhile: they find it gone. */
  async #unbegin(run: Run, last: Run | null): Promise<void> {
    this.#last = last;
    this.#bell.ring();
    await this.ctx.storage.delete(name(run.number));
    await (last ? this.ctx.storage.put('last', last.number) : this.ctx.storage.delete('last'));
    await this.#schedule();
    await this.#backlog.leave(run.submission.key);
    await this.#meter(run.submission).end(meterId(run), 0);
  }

  async #find(number: number): Promise<Run | null> {
    if (this.#last?.number === number) return this.#last;
    return this.#load(number);
  }

  /** A run of an earlier release lacks what has been added since. */
  async #load(number: number): Promise<Run | null> {
    const run = await this.ctx.storage.get<Run>(name(number));
    return run ? { ...unsaid, ...run } : null;
  }

  async #keep(next: Run): Promise<void> {
    const before = this.#last;
    const run = { ...next, version: next.version + 1 };
    this.#last = run;
    this.#past = [...this.#past.filter(({ number }) => number === run.number), run].slice(-remembered);
    this.#bell.ring();
    await this.ctx.storage.put({ [name(run.number)]: run, last: run.number });
    if (isTerminal(run) && before?.number === run.number && !isTerminal(before)) await this.#ended(run);
    return this.#schedule();
  }

  /** Whatever ends a run, no worker goes on with it, and nothing stays of attempts that gave no result. */
  async #ended(run: Run): Promise<void> {
    if (run.taken && run.status !== 'succeeded')
      this.ctx.waitUntil(new GpuWorker(settings(this.env)).drop(run.submission.key, run.attempt));
    if (run.startedAt !== null) await this.#sweeper.plan(stalePrefixes(run), Date.now() + lateWrites);
    await this.#backlog.leave(run.submission.key);
    await this.#settle(run);
  }

  /** Tells the meter of the end; the alarm does it again until the meter has heard it. */
  async #settle(run: Run): Promise<void> {
    try {
      await this.#meter(run.submission).end(meterId(run), unitsSpent(run));
    } catch (error) {
      console.error('the end of a run was not metered', error);
      return;
    }
    // It may have been erased meanwhile.
    const settled = { ...((await this.#find(run.number)) ?? run), metered: true };
    if (this.#last?.number === run.number) this.#last = settled;
    await this.ctx.storage.put(name(run.number), settled);
  }

  #meter({ tenant }: Submission): DurableObjectStub<TenantMeter> {
    return this.env.METER.getByName(tenant);
  }

  async #sweep(): Promise<void> {
    await this.#sweeper.run(new Objects(settings(this.env)), Date.now());
    await this.#schedule();
  }

  async #schedule(): Promise<void> {
    const run = this.#last;
    const due = Math.min(this.#sweeper.due, run ? nextLook(run, Date.now()) : Infinity);
    await (due === Infinity ? this.ctx.storage.deleteAlarm() : this.ctx.storage.setAlarm(due));
  }

  async #send(run: Run): Promise<void> {
    const departure: Departure = { key: run.submission.key, attempt: run.attempt };
    await this.env.JOBS.send(departure);
  }
}
