import { DurableObject } from 'cloudflare:workers';
import type { Job, JobError, Report } from '@whylight/contract';
import {
  apply,
  type Boarding,
  begin,
  delivered,
  type FlightPort,
  fail,
  isRepeated,
  isTerminal,
  jobOf,
  overdue,
  type Run,
  type Submission,
  taken,
} from './domain/flight.ts';
import type { Bindings } from './env.ts';

/** What the queue carries: which attempt of which flight to hand to a worker. */
export interface Departure {
  readonly key: string;
  readonly attempt: number;
}

const name = (run: number): string => `run/${run}`;

/**
 * The computation of one cache key, of which there is one object in the world: identical requests meet here
 * and run once. Its alarm is the watchdog, so that a lost message or a dead worker ends in another attempt
 * or in a named error, never in silence.
 */
export class Flight extends DurableObject<Bindings> implements FlightPort {
  #last: Run | null = null;
  readonly #waiting = new Set<() => void>();

  constructor(context: DurableObjectState, bindings: Bindings) {
    super(context, bindings);
    context.blockConcurrencyWhile(async () => {
      const last = await context.storage.get<number>('last');
      if (last !== undefined) this.#last = (await context.storage.get<Run>(name(last))) ?? null;
    });
  }

  /** The finished result, if there is one. */
  async known(): Promise<Run | null> {
    return this.#last?.status === 'succeeded' ? this.#last : null;
  }

  /** Joins the run under way, returns the finished one (unless `fresh`), or starts the next. */
  async submit(submission: Submission, fresh: boolean): Promise<Boarding> {
    const last = this.#last;
    if (last && !isTerminal(last)) return { run: last, via: 'collapsed' };
    if (last?.status === 'succeeded' && !fresh) return { run: last, via: 'hit' };
    const run = begin(last, submission, Date.now());
    // In memory before the message leaves, so that a second request meanwhile joins; stored only after it
    // has left, so that a queue that is down leaves nothing behind.
    this.#last = run;
    await this.#announce(submission.key, true);
    try {
      await this.#send(run);
    } catch (error) {
      this.#last = last;
      this.#wake();
      await this.#announce(submission.key, false);
      throw error;
    }
    // The queue may have been quicker than its answer: what it has brought about since stands.
    if (this.#last === run) await this.#keep(run);
    return { run: this.#last, via: fresh ? 'bypass' : 'miss' };
  }

  /** Run `number` as soon as it has ended, at the latest after `seconds`; null if there is none. */
  async watch(number: number, seconds: number): Promise<Run | null> {
    const end = Date.now() + seconds * 1000;
    for (;;) {
      const run = this.#last?.number === number ? this.#last : await this.ctx.storage.get<Run>(name(number));
      const left = end - Date.now();
      if (!run || isTerminal(run) || left <= 0) return run ?? null;
      await this.#change(left);
    }
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
    const run = this.#last;
    if (!run || isTerminal(run)) return;
    if (Date.now() < run.deadline) return this.ctx.storage.setAlarm(run.deadline);
    const next = overdue(run, Date.now());
    await this.#keep(next);
    if (!isTerminal(next)) await this.#send(next);
  }

  #undelivered(attempt: number): Run | null {
    const run = this.#last;
    return run && run.attempt === attempt && run.status === 'queued' && !run.taken ? run : null;
  }

  async #keep(run: Run): Promise<void> {
    this.#last = run;
    await this.ctx.storage.put({ [name(run.number)]: run, last: run.number });
    if (!isTerminal(run)) return this.ctx.storage.setAlarm(run.deadline);
    this.#wake();
    await this.ctx.storage.deleteAlarm();
    await this.#announce(run.submission.key, false);
  }

  async #send(run: Run): Promise<void> {
    const departure: Departure = { key: run.submission.key, attempt: run.attempt };
    await this.env.JOBS.send(departure);
  }

  /** Counts this flight into the backlog, or out of it. The count is for scaling only: it may lag. */
  async #announce(key: string, active: boolean): Promise<void> {
    const statement = active
      ? this.env.DB.prepare('INSERT OR REPLACE INTO active_flights (key, since) VALUES (?, ?)').bind(
          key,
          new Date().toISOString(),
        )
      : this.env.DB.prepare('DELETE FROM active_flights WHERE key = ?').bind(key);
    await statement.run().catch((error: unknown) => console.error('backlog not updated', error));
  }

  #change(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, milliseconds);
      this.#waiting.add(done);
    });
  }

  #wake(): void {
    for (const done of [...this.#waiting]) done();
  }
}
