import { DurableObject } from 'cloudflare:workers';
import type { Claim, ClaimRefusal, Job, JobError, Report, Style } from '@whylight/contract';
import type { Excess } from '../../domain/meter.ts';
import type { ComputationPort } from '../../domain/ports.ts';
import { type FoundRendering, ownRendering, type Rendering } from '../../domain/rendering.ts';
import {
  type Admission,
  checkpointPrefix,
  claimOf,
  isTerminal,
  lateWrites,
  type Run,
  type Submission,
  stalePrefixes,
  type WaitRequest,
} from '../../domain/run.ts';
import type { RunEvents } from '../../domain/run-events.ts';
import { endRendering, isOwnStyle } from '../../domain/waiters.ts';
import type { Bindings } from '../../env.ts';
import { services } from '../../services.ts';
import { Admissions } from './admissions.ts';
import type { AlarmTask } from './alarm-task.ts';
import { ArtifactDeletion } from './artifact-deletion.ts';
import { Attempts } from './attempts.ts';
import { BacklogRefresh } from './backlog-refresh.ts';
import { OutcomeReports } from './outcome-reports.ts';
import { gone } from './rendering-calls.ts';
import { Renderings } from './renderings.ts';
import { ResultRetention } from './result-retention.ts';
import { Results } from './results.ts';
import { RunReader } from './run-reader.ts';
import { Runs } from './runs.ts';
import { moveStoredNames } from './stored-names.ts';

/** Milliseconds. */
const day = 24 * 3_600_000;
/** Milliseconds for which a computation outlives the rows that lead to it. */
const margin = 30 * day;

/**
 * The computation of one cache key. There is one object for each key, so identical requests meet here and are computed
 * once. Its parts do the work, and say when they need its alarm.
 */
export class Computation extends DurableObject<Bindings> implements ComputationPort {
  readonly #here = {
    storage: this.ctx.storage,
    services: () => services(this.env),
    store: (run: Run) => this.#store(run),
    setAlarm: () => this.#setAlarm(),
    endRendering: (run: number, style: Style, error: JobError | null) =>
      this.#endRendering(run, style, error),
  };
  readonly #retention = new ResultRetention(this.ctx.storage);
  readonly #runs = new Runs(this.ctx.storage, this.#retention);
  readonly #deletion = new ArtifactDeletion(this.ctx.storage, this.#here.services);
  readonly #reports = new OutcomeReports(this.#runs, this.#here.services);
  readonly #backlog = new BacklogRefresh(this.ctx.storage, this.#runs, this.#here.services);
  readonly #attempts = new Attempts(this.#runs, () => this.env, this.#here.store);
  readonly #renderings = new Renderings({ ...this.#here, runs: this.#runs, deletion: this.#deletion });
  readonly #results = new Results({
    ...this.#here,
    runs: this.#runs,
    retention: this.#retention,
    renderings: this.#renderings,
    deletion: this.#deletion,
  });
  readonly #admissions = new Admissions({
    ...this.#here,
    runs: this.#runs,
    results: this.#results,
    renderings: this.#renderings,
    attempts: this.#attempts,
    backlog: this.#backlog,
  });
  readonly #reader = new RunReader(this.#runs, this.#renderings);
  /** In the order in which the alarm has them act. */
  readonly #tasks: readonly AlarmTask[] = [
    this.#results,
    this.#deletion,
    this.#reports,
    this.#admissions,
    this.#backlog,
    this.#attempts,
    this.#renderings,
  ];

  constructor(context: DurableObjectState, bindings: Bindings) {
    super(context, bindings);
    context.blockConcurrencyWhile(async () => {
      await moveStoredNames(context.storage);
      await Promise.all([this.#deletion.load(), this.#retention.load(), this.#backlog.load()]);
      await this.#runs.load();
      await this.#renderings.load();
      if (this.#renderings.due < Infinity) await this.#setAlarm();
    });
  }

  /** The finished run, if there is one and its bytes are intact; `request` may still have to wait for its pictures. */
  async findResult(request: WaitRequest): Promise<Admission | JobError | null> {
    return this.#admissions.joinResult(request);
  }

  async admit(
    submission: Submission,
    fresh: boolean,
    request: WaitRequest,
  ): Promise<Admission | JobError | Excess> {
    return this.#admissions.admit(submission, fresh, request);
  }

  async cancel(number: number, waiter: string): Promise<boolean> {
    return this.#admissions.cancel(number, waiter);
  }

  async watch(number: number, waiter: string, style: Style | null, seconds: number): Promise<Run | null> {
    return this.#reader.watch(number, waiter, style, seconds);
  }

  async readEvents(
    number: number,
    waiter: string,
    after: number | null,
    seconds: number,
  ): Promise<RunEvents | null> {
    return this.#reader.readEvents(number, waiter, after, seconds);
  }

  async deliverJob(attempt: number): Promise<Job | null> {
    return this.#attempts.deliver(attempt);
  }

  async acceptAttempt(attempt: number): Promise<void> {
    return this.#attempts.accept(attempt);
  }

  async failAttempt(attempt: number, error: JobError): Promise<void> {
    return this.#attempts.fail(attempt, error);
  }

  async claimAttempt(asked: Claim): Promise<ClaimRefusal | null> {
    return this.#attempts.claim(asked);
  }

  async applyReport(report: Report): Promise<boolean> {
    return this.#attempts.applyReport(report);
  }

  /** Renders a finished run in another style, now. */
  async render(number: number, style: Style): Promise<FoundRendering | JobError> {
    const run = await this.#runs.find(number);
    if (run?.status !== 'succeeded' || run.erased) return gone;
    if (isOwnStyle(run, style)) return ownRendering(run);
    const answer = await this.#renderings.render(run, style, false);
    return 'error' in answer ? answer.error : answer;
  }

  async findRendering(number: number, key: string): Promise<Rendering | null> {
    return this.#renderings.find(number, key);
  }

  /** Cancels `waiter`; if it owns the result, deletes the result too, for all. */
  async erase(number: number, waiter: string): Promise<void> {
    await this.cancel(number, waiter);
    const run = await this.#runs.find(number);
    if (run && run.owner === waiter && isTerminal(run) && !run.erased) await this.#results.discard(run);
  }

  override async alarm(): Promise<void> {
    for (const task of this.#tasks) if (task.due <= Date.now()) await task.act(Date.now());
    if (this.#due === Infinity && this.#forgottenAt <= Date.now()) return this.ctx.storage.deleteAll();
    return this.#setAlarm();
  }

  /** Stores the next state of a run, and does what follows from it. */
  async #store(next: Run): Promise<void> {
    const before = this.#runs.held(next.number);
    const run = await this.#runs.advance(next);
    if (before && !isTerminal(before) && isTerminal(run)) await this.#finish(run);
    // A later checkpoint has taken the place of this one.
    if (before && before.checkpoint?.object !== run.checkpoint?.object)
      await this.#deletion.schedule(checkpointPrefix(before), Date.now());
    await this.#reports.send(run);
    return this.#setAlarm();
  }

  /** Cleans up after a run, and asks for the pictures that its waiters want. */
  async #finish(run: Run): Promise<void> {
    const { workerRegistry, backlog } = services(this.env);
    const claim = claimOf(run);
    // A worker that has not claimed the attempt yet is refused when it does.
    if (claim && run.status !== 'succeeded')
      this.ctx.waitUntil(
        workerRegistry()
          .order(claim.worker, { order: 'drop', key: run.submission.key, attempt: run.attempt })
          .catch((error: unknown) => console.warn('an order did not reach the registry of workers:', error)),
      );
    if (run.status === 'succeeded') await this.#retention.keep(run.number, run.keepUntil);
    await this.#deletion.schedule(checkpointPrefix(run), Date.now());
    // A worker may still be writing, although no report of it has arrived.
    await this.#deletion.schedule(stalePrefixes(run), Date.now() + lateWrites);
    await this.#retention.remember(run.keepUntil);
    await backlog.leave('computation', run.submission.key);
    await this.#renderings.ask(run, Date.now());
    await this.#renderings.act(Date.now());
  }

  /** A rendering in `style` is done, or has failed with `error`. */
  async #endRendering(number: number, style: Style, error: JobError | null): Promise<void> {
    const run = await this.#runs.find(number);
    const next = run && endRendering(run, style, error, Date.now());
    if (next && next !== run) await this.#store(next);
    if (error?.code !== 'artifact_corrupt') return;
    // Without the attribution the cache has no result either.
    const damaged = await this.#runs.find(number);
    if (damaged && !damaged.erased) await this.#results.discard(damaged);
  }

  async #setAlarm(): Promise<void> {
    const due = this.#due === Infinity ? this.#forgottenAt : this.#due;
    await (due === Infinity ? this.ctx.storage.deleteAlarm() : this.ctx.storage.setAlarm(due));
  }

  /** When the alarm has something to do. */
  get #due(): number {
    return Math.min(...this.#tasks.map(({ due }) => due));
  }

  /** When no row leads to this computation any more, so that it may forget everything. */
  get #forgottenAt(): number {
    const run = this.#runs.last;
    const { EXPLANATION_DAYS } = services(this.env).settings;
    return run ? Math.max(run.keepUntil, this.#retention.latest) + EXPLANATION_DAYS * day + margin : Infinity;
  }
}
