import { DurableObject } from 'cloudflare:workers';
import {
  type Claim,
  type ClaimRefusal,
  type Job,
  type JobError,
  type Look,
  type Report,
  renderKey,
} from '@whylight/contract';
import { getOwn } from '@whylight/core/methods';
import { type Drawing, type Drawn, drawnAs, ownDrawing } from '../../domain/drawing.ts';
import type { Excess } from '../../domain/meter.ts';
import { sourceOf } from '../../domain/model.ts';
import type { ComputationPort, MeterPort } from '../../domain/ports.ts';
import {
  cancel,
  expire,
  isOwnLook,
  join,
  nextLook,
  seenBy,
  told,
  undrawn,
  untold,
  wishesOf,
} from '../../domain/riders.ts';
import {
  type Boarding,
  claimOf,
  type Departure,
  isTerminal,
  jobOf,
  lateWrites,
  meterId,
  mostRiders,
  type Pass,
  type Run,
  type Submission,
  stalePrefixes,
} from '../../domain/run.ts';
import { eventsSince, type RunEvents } from '../../domain/run-events.ts';
import {
  apply,
  begin,
  claim,
  delivered,
  fail,
  isRepeated,
  overdue,
  taken,
} from '../../domain/transitions.ts';
import { type Bindings, settings } from '../../env.ts';
import { Backlog } from '../../storage/backlog.ts';
import { GpuWorker } from '../../storage/gpu-worker.ts';
import { Models } from '../../storage/models.ts';
import { Objects } from '../../storage/objects.ts';
import { Sweeper } from './artifact-deletion.ts';
import { Drawings } from './drawings.ts';
import { notifyWebhooks, reportToMeter } from './outcome-reports.ts';
import { Shelf } from './result-retention.ts';
import { Runs } from './runs.ts';

/** Milliseconds. */
const day = 24 * 3_600_000;
/** Milliseconds for which a computation outlives the rows that lead to it. */
const margin = 30 * day;

/** Pictures that a worker is asked for at a time: it has other things to do, and others to draw for. */
const drawnAtATime = 4;

const gone: JobError = {
  code: 'artifact_corrupt',
  message: 'The result of this explanation has been deleted.',
  retryable: false,
};

const modelDeleted: JobError = {
  code: 'model_deleted',
  message: 'The model has been deleted.',
  retryable: false,
};

/**
 * The computation of one cache key, of which there is one object in the world: identical requests meet here
 * and run once. Its alarm is the watchdog, so that a lost message or a dead worker ends in another attempt
 * or in a named error, never in silence.
 */
export class Computation extends DurableObject<Bindings> implements ComputationPort {
  readonly #backlog: Backlog;
  readonly #sweeper: Sweeper;
  readonly #drawings: Drawings;
  readonly #shelf: Shelf;
  readonly #runs: Runs;

  constructor(context: DurableObjectState, bindings: Bindings) {
    super(context, bindings);
    this.#backlog = new Backlog(bindings.DB);
    this.#sweeper = new Sweeper(context.storage);
    this.#drawings = new Drawings(context.storage, this.#sweeper);
    this.#shelf = new Shelf(context.storage);
    this.#runs = new Runs(context.storage, this.#shelf);
    context.blockConcurrencyWhile(async () => {
      await Promise.all([this.#sweeper.load(), this.#shelf.load()]);
      await this.#runs.load();
    });
  }

  /** The finished result, if there is one and its bytes are those that were written; kept until then at least. */
  async known(keepUntil: number): Promise<Run | null> {
    const now = Date.now();
    const run = this.#runs.last;
    if (run?.status !== 'succeeded' || run.erased) return null;
    if (!this.#shelf.holds(run.number, now)) return null;
    if (!this.#shelf.isTrusted(run.number, now) && !(await this.#isIntact(run))) return null;
    await this.#shelf.keep(run.number, keepUntil);
    return run;
  }

  /** Joins the run under way, returns the finished one (unless `fresh`), or starts the next. */
  async submit(submission: Submission, fresh: boolean, pass: Pass): Promise<Boarding | Excess> {
    const joined = await this.#joinKnown(fresh, pass);
    if (joined) return joined;
    // Whoever comes while the meter is asked asks it for the same run, which is counted once.
    const id = meterId(begin(this.#runs.last, submission, Date.now()));
    const excess = await this.#meter(submission).begin(id, submission.units);
    return excess ?? (await this.#joinKnown(fresh, pass)) ?? this.#depart(submission, fresh, pass);
  }

  async #joinKnown(fresh: boolean, pass: Pass): Promise<Boarding | null> {
    const last = this.#runs.last;
    const before = last && getOwn(last.riders, pass.id);
    if (last && before) return { run: last, via: before.via };
    if (last && !isTerminal(last)) {
      if (Object.keys(last.riders).length >= mostRiders) throw new Error('too many wait for this run');
      await this.#keep(join(last, pass, 'collapsed'));
      return { run: this.#runs.last!, via: 'collapsed' };
    }
    const known = fresh ? null : await this.known(pass.keepUntil);
    return known ? { run: known, via: 'hit' } : null;
  }

  async #depart(submission: Submission, fresh: boolean, pass: Pass): Promise<Boarding> {
    const last = this.#runs.last;
    const via = fresh ? 'bypass' : 'miss';
    const run = join(begin(last, submission, Date.now()), pass, via);
    // In memory before the message leaves, so that a second request meanwhile joins; stored only after it
    // has left, so that a queue that is down leaves nothing behind.
    this.#runs.begin(run);
    try {
      await this.#backlog.enter(submission.key);
      await this.#send(run);
    } catch (error) {
      // Whoever has joined meanwhile is not to lose it: then it stands, and the watchdog sends it again.
      if (this.#runs.last === run) {
        await this.#unbegin(run, last);
        throw error;
      }
    }
    // The queue may have been quicker than its answer: what it has brought about since stands.
    if (this.#runs.last === run) await this.#keep(run);
    return { run: this.#runs.last!, via };
  }

  /**
   * Run `number` as soon as it has ended for `rider`, at the latest after `seconds`; null if there is none. With the
   * pictures of that look where they have been drawn.
   */
  async watch(number: number, rider: string, look: Look | null, seconds: number): Promise<Run | null> {
    const end = Date.now() + seconds * 1000;
    for (;;) {
      const run = await this.#runs.find(number);
      const left = end - Date.now();
      if (!run || isTerminal(seenBy(run, rider)) || left <= 0) return run && this.#drawnIn(run, look);
      await this.#runs.next(left);
    }
  }

  async #drawnIn(run: Run, look: Look | null): Promise<Run> {
    if (run.status !== 'succeeded' || run.erased || !look || isOwnLook(run, look)) return run;
    const drawing = await this.drawing(run.number, await renderKey(run.submission.key, look));
    return drawing ? drawnAs(run, drawing) : run;
  }

  /** A finished run in another look; `input` is the photo, where it is no longer where it was. */
  async draw(
    number: number,
    look: Look,
    input: Job['input'] | null,
    pinned: boolean,
  ): Promise<Drawn | JobError> {
    const run = await this.#runs.find(number);
    if (run?.status !== 'succeeded' || run.erased) return gone;
    if (isOwnLook(run, look)) return ownDrawing(run);
    const drawn = await this.#drawings.draw(this.#worker, run, look, input, pinned);
    // There may be something to sweep now.
    await this.#schedule();
    // What cannot be drawn for want of the attribution cannot be had from the cache either.
    if ('code' in drawn && drawn.code === 'artifact_corrupt') await this.#discard(run);
    const now = await this.#runs.find(number);
    if (!now?.erased) return drawn;
    await this.#sweeper.plan(await this.#drawings.forget(now), Date.now());
    await this.#sweep();
    return gone;
  }

  async drawing(number: number, key: string): Promise<Drawing | null> {
    return this.#drawings.find(number, key);
  }

  /** The events of `rider` after event `after`; waits up to `seconds` for the next one. */
  async readEvents(
    number: number,
    rider: string,
    after: number | null,
    seconds: number,
  ): Promise<RunEvents | null> {
    const end = Date.now() + seconds * 1000;
    for (;;) {
      const run = await this.#runs.find(number);
      if (!run) return null;
      const events = eventsSince(this.#runs.statesOf(run), rider, after);
      const left = end - Date.now();
      if (events.events.length > 0 || events.done || left <= 0) return events;
      await this.#runs.next(left);
    }
  }

  /** Ends `rider`'s part of the run, if it has not ended. @returns whether work under way was stopped by that */
  async cancel(number: number, rider: string): Promise<boolean> {
    const run = this.#runs.last;
    if (run?.number !== number) return false;
    const next = cancel(run, rider, Date.now());
    if (next !== run) await this.#keep(next);
    return run.status === 'processing' && isTerminal(next);
  }

  /** Ends `rider`'s part, and if the result is its own deletes that too, for everybody. */
  async erase(number: number, rider: string): Promise<void> {
    await this.cancel(number, rider);
    const run = await this.#runs.find(number);
    if (!run || run.owner !== rider || !isTerminal(run) || run.erased) return;
    await this.#discard(run);
  }

  /** Deletes a result: nobody sees it from here on. */
  async #discard(run: Run): Promise<void> {
    const erased: Run = { ...run, result: null, artifacts: [], erased: run.status === 'succeeded' };
    await this.#runs.amend(erased);
    await this.#shelf.remove(run.number);
    const drawn = await this.#drawings.forget(run);
    await this.#sweeper.plan([...stalePrefixes(erased), ...drawn], Date.now());
    await this.#sweep();
  }

  /** Whether the store still has what was written; what it has not is discarded. */
  async #isIntact(run: Run): Promise<boolean> {
    const objects = new Objects(settings(this.env));
    const checked = run.artifacts.map(
      async ({ object, sha256 }) => (await objects.digest(object)) === sha256,
    );
    // A store that does not answer proves nothing.
    const intact = (await Promise.all(checked).catch(() => null))?.every(Boolean) ?? true;
    if (intact) await this.#shelf.trust(run.number);
    else {
      console.error(`${run.submission.requestId}: a stored result is damaged or gone, and is discarded`);
      const { last } = this.#runs;
      if (last?.number === run.number && !last.erased) await this.#discard(last);
    }
    return intact;
  }

  /** The job of `attempt`, or null when it was delivered or is over, and its message is to be dropped. */
  async job(attempt: number): Promise<Job | null> {
    const asked = this.#undelivered(attempt);
    if (!asked) return null;
    const { key, tenant, model: id } = asked.submission;
    const model = id ? await new Models(this.env.DB).find(tenant, id) : null;
    if (id && !model) {
      await this.fail(attempt, modelDeleted);
      return null;
    }
    // Others may have joined while the model was looked up.
    const run = this.#undelivered(attempt);
    if (!run) return null;
    await this.#keep(delivered(run, Date.now()));
    const url = (what: string) => new URL(`/internal/${what}/${key}`, this.env.PUBLIC_URL).href;
    const urls = { claim_url: url('claims'), report_url: url('reports') };
    return jobOf(run, urls, model && sourceOf(model));
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

  /** A worker wants an attempt for itself. @returns why it does not get it, or null: it is this worker's */
  async claim(asked: Claim): Promise<ClaimRefusal | null> {
    const run = this.#runs.last;
    const next = run ? claim(run, asked, Date.now()) : 'attempt_over';
    if (typeof next === 'string') return next;
    if (next !== run) await this.#keep(next);
    return null;
  }

  /** What a worker says; false when it is no longer its turn to speak. */
  async report(report: Report): Promise<boolean> {
    const run = this.#runs.last;
    if (!run) return false;
    if (isRepeated(run, report)) return true;
    const next = apply(run, report, Date.now());
    if (!next) return false;
    if (next.status === 'succeeded' && wishesOf(next).length > 0) return this.#succeed(report);
    await this.#keep(next);
    if (next.attempt !== run.attempt) await this.#resend(next);
    return true;
  }

  /** Ends a run once all who are aboard have their pictures; others may come aboard meanwhile, or leave. */
  async #succeed(report: Report): Promise<boolean> {
    const errors = new Map<string, JobError>();
    const drawn = new Set<string>();
    for (;;) {
      const run = this.#runs.last;
      if (!run) return false;
      if (isRepeated(run, report)) return true;
      const next = apply(run, report, Date.now());
      if (!next) return false;
      const left = wishesOf(next)
        .filter(([id]) => !errors.has(id) && !drawn.has(id))
        .slice(0, drawnAtATime);
      if (left.length === 0) {
        await this.#keep(undrawn(next, errors, Date.now()));
        return true;
      }
      await Promise.all(
        left.map(async ([id, look]) => {
          const answer = await this.#drawings.draw(this.#worker, next, look, null, true);
          if ('code' in answer) errors.set(id, answer);
          else drawn.add(id);
        }),
      );
    }
  }

  override async alarm(): Promise<void> {
    for (const number of this.#shelf.over(Date.now())) await this.#expire(number);
    await this.#sweep();
    const before = this.#runs.last;
    if (before && isTerminal(before) && !before.metered) await this.#settle(before);
    if (before && untold(before).length > 0) await this.#announce(before);
    // As it stands now: a worker may have reported meanwhile.
    const run = this.#runs.last;
    const now = Date.now();
    if (run && this.#due === Infinity && this.#over(run) <= now) return this.ctx.storage.deleteAll();
    if (!run || isTerminal(run)) return this.#schedule();
    const rest = expire(run, now);
    const isSilent = !isTerminal(rest) && now >= rest.deadline;
    const next = isSilent ? overdue(rest, now) : rest;
    if (isSilent) this.#nameSilentWorker(rest);
    if (next !== run) await this.#keep(next);
    if (!isTerminal(next) && next.attempt !== run.attempt) await this.#resend(next);
  }

  #nameSilentWorker(run: Run): void {
    const claim = claimOf(run);
    if (!claim) return;
    const { worker, attempt } = claim;
    const { requestId } = run.submission;
    console.warn(`${requestId}: worker ${worker} loses attempt ${attempt}: it has not reported for a minute`);
  }

  async #expire(number: number): Promise<void> {
    const run = await this.#runs.find(number);
    if (run && !run.erased) await this.#discard(run);
    else await this.#shelf.remove(number);
  }

  #undelivered(attempt: number): Run | null {
    const run = this.#runs.last;
    return run && run.attempt === attempt && run.status === 'queued' && !run.taken ? run : null;
  }

  async #unbegin(run: Run, last: Run | null): Promise<void> {
    await this.#runs.unbegin(run, last);
    await this.#schedule();
    await this.#backlog.leave(run.submission.key);
    await this.#meter(run.submission).end(meterId(run), 0);
  }

  async #keep(next: Run): Promise<void> {
    const before = this.#runs.last;
    const run = await this.#runs.advance(next);
    if (isTerminal(run) && before?.number === run.number && !isTerminal(before)) await this.#ended(run);
    if (untold(run).length > 0) await this.#announce(run);
    return this.#schedule();
  }

  /** Whatever ends a run, no worker goes on with it, and nothing stays of attempts that gave no result. */
  async #ended(run: Run): Promise<void> {
    if (run.taken && run.status !== 'succeeded')
      this.ctx.waitUntil(this.#worker.drop(run.submission.key, run.attempt));
    if (run.status === 'succeeded') await this.#shelf.keep(run.number, run.keepUntil);
    // A worker may be at it without anybody having heard of that.
    await this.#sweeper.plan(stalePrefixes(run), Date.now() + lateWrites);
    await this.#shelf.remember(run.keepUntil);
    await this.#backlog.leave(run.submission.key);
    await this.#settle(run);
  }

  /** Tells the meter of the end; the alarm does it again until the meter has heard it. */
  async #settle(run: Run): Promise<void> {
    if (!(await reportToMeter(this.env, run))) return;
    // It may have been erased meanwhile.
    await this.#runs.amend({ ...((await this.#runs.find(run.number)) ?? run), metered: true });
  }

  /** Tells the webhooks of the ends that they wait for; the alarm does it again until their couriers have them. */
  async #announce(run: Run): Promise<void> {
    const heard = await notifyWebhooks(this.env, run);
    await this.#runs.amend(told((await this.#runs.find(run.number)) ?? run, heard));
  }

  get #worker(): GpuWorker {
    return new GpuWorker(settings(this.env));
  }

  #meter({ tenant }: Submission): MeterPort {
    return this.env.METER.getByName(tenant);
  }

  async #sweep(): Promise<void> {
    await this.#sweeper.run(new Objects(settings(this.env)), Date.now());
    await this.#schedule();
  }

  async #schedule(): Promise<void> {
    const run = this.#runs.last;
    const due = run && this.#due === Infinity ? this.#over(run) : this.#due;
    await (due === Infinity ? this.ctx.storage.deleteAlarm() : this.ctx.storage.setAlarm(due));
  }

  /** When there is something to do. */
  get #due(): number {
    const run = this.#runs.last;
    return Math.min(this.#sweeper.due, this.#shelf.due, run ? nextLook(run, Date.now()) : Infinity);
  }

  /** When nobody can ask for this computation any more, after the last thing that there was to do. */
  #over({ keepUntil }: Run): number {
    const { EXPLANATION_DAYS } = settings(this.env);
    return Math.max(keepUntil, this.#shelf.latest) + EXPLANATION_DAYS * day + margin;
  }

  /** Where the queue is down, it is the watchdog that sends it again. */
  async #resend(run: Run): Promise<void> {
    await this.#send(run).catch((error: unknown) => console.error('another attempt was not sent', error));
  }

  async #send(run: Run): Promise<void> {
    const departure: Departure = { key: run.submission.key, attempt: run.attempt };
    await this.env.JOBS.send(departure);
  }
}
