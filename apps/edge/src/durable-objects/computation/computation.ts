import { DurableObject } from 'cloudflare:workers';
import {
  type Claim,
  type ClaimRefusal,
  type Job,
  type JobError,
  type Report,
  renderKey,
  type Style,
} from '@whylight/contract';
import { getOwn } from '@whylight/core/methods';
import type { Excess } from '../../domain/meter.ts';
import { sourceOf } from '../../domain/model.ts';
import type { ComputationPort, MeterPort } from '../../domain/ports.ts';
import { type FoundRendering, ownRendering, type Rendering, withRendering } from '../../domain/rendering.ts';
import {
  type Admission,
  type AttemptMessage,
  claimOf,
  isTerminal,
  jobOf,
  lateWrites,
  meterId,
  mostWaiters,
  type Run,
  type Submission,
  stalePrefixes,
  type WaitRequest,
} from '../../domain/run.ts';
import { eventsSince, type RunEvents } from '../../domain/run-events.ts';
import {
  applyReport,
  beginRun,
  claimAttempt,
  failRun,
  isRepeated,
  markDelivered,
  renewLease,
  retryOrFail,
} from '../../domain/transitions.ts';
import {
  addWaiter,
  cancelWaiter,
  expireWaiters,
  failUnrendered,
  isOwnStyle,
  markNotified,
  nextCheckAt,
  pendingStyles,
  unnotifiedWaiters,
  viewRun,
} from '../../domain/waiters.ts';
import { type Bindings, settings } from '../../env.ts';
import { Backlog } from '../../storage/backlog.ts';
import { GpuWorker } from '../../storage/gpu-worker.ts';
import { Models } from '../../storage/models.ts';
import { Objects } from '../../storage/objects.ts';
import { ArtifactDeletion } from './artifact-deletion.ts';
import { notifyWebhooks, reportToMeter } from './outcome-reports.ts';
import { Renderings } from './renderings.ts';
import { ResultRetention } from './result-retention.ts';
import { Runs } from './runs.ts';
import { moveStoredNames } from './stored-names.ts';

/** Milliseconds. */
const day = 24 * 3_600_000;
/** Milliseconds for which a computation outlives the rows that lead to it. */
const margin = 30 * day;

/** Renderings that one computation asks a worker for at a time: the worker has other jobs too. */
const renderedAtATime = 4;

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
 * The computation of one cache key. There is one object for each key, so identical requests meet here and are computed
 * once. Its alarm watches the attempt, so that a lost message or a dead worker leads to another attempt or to a named
 * error, never to silence.
 */
export class Computation extends DurableObject<Bindings> implements ComputationPort {
  readonly #backlog: Backlog;
  readonly #deletion: ArtifactDeletion;
  readonly #renderings: Renderings;
  readonly #retention: ResultRetention;
  readonly #runs: Runs;

  constructor(context: DurableObjectState, bindings: Bindings) {
    super(context, bindings);
    this.#backlog = new Backlog(bindings.DB);
    this.#deletion = new ArtifactDeletion(context.storage);
    this.#renderings = new Renderings(context.storage, this.#deletion);
    this.#retention = new ResultRetention(context.storage);
    this.#runs = new Runs(context.storage, this.#retention);
    context.blockConcurrencyWhile(async () => {
      await moveStoredNames(context.storage);
      await Promise.all([this.#deletion.load(), this.#retention.load()]);
      await this.#runs.load();
    });
  }

  /** The finished result, if its stored bytes are intact. Keeps it at least until `keepUntil`. */
  async findResult(keepUntil: number): Promise<Run | null> {
    const now = Date.now();
    const run = this.#runs.last;
    if (run?.status !== 'succeeded' || run.erased) return null;
    if (!this.#retention.holds(run.number, now)) return null;
    if (!this.#retention.isTrusted(run.number, now) && !(await this.#isIntact(run))) return null;
    await this.#retention.keep(run.number, keepUntil);
    return run;
  }

  /** Joins the run under way, returns the finished one (unless `fresh`), or starts the next. */
  async admit(submission: Submission, fresh: boolean, request: WaitRequest): Promise<Admission | Excess> {
    const joined = await this.#joinExisting(fresh, request);
    if (joined) return joined;
    // Requests that arrive meanwhile ask the meter for the same run, which counts once.
    const id = meterId(beginRun(this.#runs.last, submission, Date.now()));
    const excess = await this.#meter(submission).begin(id, submission.units);
    return excess ?? (await this.#joinExisting(fresh, request)) ?? this.#startRun(submission, fresh, request);
  }

  async #joinExisting(fresh: boolean, request: WaitRequest): Promise<Admission | null> {
    const last = this.#runs.last;
    const before = last && getOwn(last.waiters, request.id);
    if (last && before) return { run: last, via: before.via };
    if (last && !isTerminal(last)) {
      if (Object.keys(last.waiters).length >= mostWaiters)
        throw new Error(`${mostWaiters} explanations wait for this run already`);
      await this.#store(addWaiter(last, request, 'collapsed'));
      return { run: this.#runs.last!, via: 'collapsed' };
    }
    const known = fresh ? null : await this.findResult(request.keepUntil);
    return known ? { run: known, via: 'hit' } : null;
  }

  async #startRun(submission: Submission, fresh: boolean, request: WaitRequest): Promise<Admission> {
    const last = this.#runs.last;
    const via = fresh ? 'bypass' : 'miss';
    const run = addWaiter(beginRun(last, submission, Date.now()), request, via);
    // In memory before the message is sent, so that a request meanwhile joins; stored only after the message was sent, so
    // that nothing stays if the queue is down.
    this.#runs.setLast(run);
    try {
      await this.#backlog.enter(submission.key);
      await this.#send(run);
    } catch (error) {
      // If others have joined meanwhile, the run stays, and the alarm sends the message again.
      if (this.#runs.last === run) {
        await this.#undoStart(run, last);
        throw error;
      }
    }
    // A worker may have changed the run before the queue's answer arrived: that change stays.
    if (this.#runs.last === run) await this.#store(run);
    return { run: this.#runs.last!, via };
  }

  /**
   * Run `number` as soon as it has ended for `waiter`, at the latest after `seconds`; null if there is no such run. It has
   * the pictures of `style` if a worker has rendered them.
   */
  async watch(number: number, waiter: string, style: Style | null, seconds: number): Promise<Run | null> {
    const end = Date.now() + seconds * 1000;
    for (;;) {
      const run = await this.#runs.find(number);
      const left = end - Date.now();
      if (!run || isTerminal(viewRun(run, waiter)) || left <= 0) return run && this.#withStyle(run, style);
      await this.#runs.next(left);
    }
  }

  async #withStyle(run: Run, style: Style | null): Promise<Run> {
    if (run.status !== 'succeeded' || run.erased || !style || isOwnStyle(run, style)) return run;
    const rendering = await this.findRendering(run.number, await renderKey(run.submission.key, style));
    return rendering ? withRendering(run, rendering) : run;
  }

  /** Renders a finished run in another style; `input` says where the photo is, if that has changed. */
  async render(
    number: number,
    style: Style,
    input: Job['input'] | null,
    pinned: boolean,
  ): Promise<FoundRendering | JobError> {
    const run = await this.#runs.find(number);
    if (run?.status !== 'succeeded' || run.erased) return gone;
    if (isOwnStyle(run, style)) return ownRendering(run);
    const answer = await this.#renderings.render(this.#worker, run, style, input, pinned);
    // The rendering may have planned a deletion.
    await this.#schedule();
    // Without the attribution the cache has no result either.
    if ('code' in answer && answer.code === 'artifact_corrupt') await this.#discard(run);
    const now = await this.#runs.find(number);
    if (!now?.erased) return answer;
    await this.#deletion.schedule(await this.#renderings.forget(now), Date.now());
    await this.#deleteArtifacts();
    return gone;
  }

  async findRendering(number: number, key: string): Promise<Rendering | null> {
    return this.#renderings.find(number, key);
  }

  /** The events of `waiter` after event `after`; waits up to `seconds` for the next one. */
  async readEvents(
    number: number,
    waiter: string,
    after: number | null,
    seconds: number,
  ): Promise<RunEvents | null> {
    const end = Date.now() + seconds * 1000;
    for (;;) {
      const run = await this.#runs.find(number);
      if (!run) return null;
      const events = eventsSince(this.#runs.statesOf(run), waiter, after);
      const left = end - Date.now();
      if (events.events.length > 0 || events.done || left <= 0) return events;
      await this.#runs.next(left);
    }
  }

  /** Cancels `waiter`, if it has not ended. @returns whether that ends work that has begun */
  async cancel(number: number, waiter: string): Promise<boolean> {
    const run = this.#runs.last;
    if (run?.number !== number) return false;
    const next = cancelWaiter(run, waiter, Date.now());
    if (next !== run) await this.#store(next);
    return run.status === 'processing' && isTerminal(next);
  }

  /** Cancels `waiter`; if it owns the result, deletes the result too, for all. */
  async erase(number: number, waiter: string): Promise<void> {
    await this.cancel(number, waiter);
    const run = await this.#runs.find(number);
    if (!run || run.owner !== waiter || !isTerminal(run) || run.erased) return;
    await this.#discard(run);
  }

  /** Deletes a result: from here on nobody sees it. */
  async #discard(run: Run): Promise<void> {
    const erased: Run = { ...run, result: null, artifacts: [], erased: run.status === 'succeeded' };
    await this.#runs.amend(erased);
    await this.#retention.remove(run.number);
    const rendered = await this.#renderings.forget(run);
    await this.#deletion.schedule([...stalePrefixes(erased), ...rendered], Date.now());
    await this.#deleteArtifacts();
  }

  /** Whether the store still has the bytes that the worker wrote; if not, discards the result. */
  async #isIntact(run: Run): Promise<boolean> {
    const objects = new Objects(settings(this.env));
    const checked = run.artifacts.map(
      async ({ object, sha256 }) => (await objects.digest(object)) === sha256,
    );
    // A store that does not answer proves nothing.
    const intact = (await Promise.all(checked).catch(() => null))?.every(Boolean) ?? true;
    if (intact) await this.#retention.trust(run.number);
    else {
      console.error(`${run.submission.requestId}: a stored result is damaged or gone, and is discarded`);
      const { last } = this.#runs;
      if (last?.number === run.number && !last.erased) await this.#discard(last);
    }
    return intact;
  }

  /** The job of `attempt`; null if the attempt was accepted or is over: then the message needs no answer. */
  async deliverJob(attempt: number): Promise<Job | null> {
    const asked = this.#findUnaccepted(attempt);
    if (!asked) return null;
    const { key, tenant, model: id } = asked.submission;
    const model = id ? await new Models(this.env.DB).find(tenant, id) : null;
    if (id && !model) {
      await this.failAttempt(attempt, modelDeleted);
      return null;
    }
    // The run may have changed while the database looked up the model.
    const run = this.#findUnaccepted(attempt);
    if (!run) return null;
    await this.#store(markDelivered(run, Date.now()));
    const url = (what: string) => new URL(`/internal/${what}/${key}`, this.env.PUBLIC_URL).href;
    const urls = { claim_url: url('claims'), report_url: url('reports') };
    return jobOf(run, urls, model && sourceOf(model));
  }

  /** Notes that a worker has answered 202. */
  async acceptAttempt(attempt: number): Promise<void> {
    const run = this.#findUnaccepted(attempt);
    if (run) await this.#store(renewLease(run, Date.now()));
  }

  /** Fails the run, because no worker accepts `attempt`. */
  async failAttempt(attempt: number, error: JobError): Promise<void> {
    const run = this.#findUnaccepted(attempt);
    if (run) await this.#store(failRun(run, error, Date.now()));
  }

  /** Gives an attempt to the worker that asks for it first. @returns why it is refused, or null if it is this worker's */
  async claimAttempt(asked: Claim): Promise<ClaimRefusal | null> {
    const run = this.#runs.last;
    const next = run ? claimAttempt(run, asked, Date.now()) : 'attempt_over';
    if (typeof next === 'string') return next;
    if (next !== run) await this.#store(next);
    return null;
  }

  /** Applies a worker's report. @returns false if the report is refused */
  async applyReport(report: Report): Promise<boolean> {
    const run = this.#runs.last;
    if (!run) return false;
    if (isRepeated(run, report)) return true;
    const next = applyReport(run, report, Date.now());
    if (!next) return false;
    if (next.status === 'succeeded' && pendingStyles(next).length > 0) return this.#renderAndSucceed(report);
    await this.#store(next);
    if (next.attempt !== run.attempt) await this.#resend(next);
    return true;
  }

  /** Ends a run once all active waiters have their pictures; meanwhile others may join, and some may leave. */
  async #renderAndSucceed(report: Report): Promise<boolean> {
    const errors = new Map<string, JobError>();
    const rendered = new Set<string>();
    for (;;) {
      const run = this.#runs.last;
      if (!run) return false;
      if (isRepeated(run, report)) return true;
      const next = applyReport(run, report, Date.now());
      if (!next) return false;
      const left = pendingStyles(next)
        .filter(([id]) => !errors.has(id) && !rendered.has(id))
        .slice(0, renderedAtATime);
      if (left.length === 0) {
        await this.#store(failUnrendered(next, errors, Date.now()));
        return true;
      }
      await Promise.all(
        left.map(async ([id, style]) => {
          const answer = await this.#renderings.render(this.#worker, next, style, null, true);
          if ('code' in answer) errors.set(id, answer);
          else rendered.add(id);
        }),
      );
    }
  }

  override async alarm(): Promise<void> {
    for (const number of this.#retention.expired(Date.now())) await this.#expireResult(number);
    await this.#deleteArtifacts();
    const before = this.#runs.last;
    if (before && isTerminal(before) && !before.metered) await this.#meterRun(before);
    if (before && unnotifiedWaiters(before).length > 0) await this.#notifyWebhooks(before);
    // Read again: a worker may have reported meanwhile.
    const run = this.#runs.last;
    const now = Date.now();
    if (run && this.#due === Infinity && this.#forgottenAt(run) <= now) return this.ctx.storage.deleteAll();
    if (!run || isTerminal(run)) return this.#schedule();
    const rest = expireWaiters(run, now);
    const isSilent = !isTerminal(rest) && now >= rest.deadline;
    const next = isSilent ? retryOrFail(rest, now) : rest;
    if (isSilent) this.#nameSilentWorker(rest);
    if (next !== run) await this.#store(next);
    if (!isTerminal(next) && next.attempt !== run.attempt) await this.#resend(next);
  }

  #nameSilentWorker(run: Run): void {
    const claim = claimOf(run);
    if (!claim) return;
    const { worker, attempt } = claim;
    const { requestId } = run.submission;
    console.warn(`${requestId}: worker ${worker} loses attempt ${attempt}: it has not reported for a minute`);
  }

  async #expireResult(number: number): Promise<void> {
    const run = await this.#runs.find(number);
    if (run && !run.erased) await this.#discard(run);
    else await this.#retention.remove(number);
  }

  #findUnaccepted(attempt: number): Run | null {
    const run = this.#runs.last;
    return run && run.attempt === attempt && run.status === 'queued' && !run.accepted ? run : null;
  }

  async #undoStart(run: Run, last: Run | null): Promise<void> {
    await this.#runs.undoStart(run, last);
    await this.#schedule();
    await this.#backlog.leave(run.submission.key);
    await this.#meter(run.submission).end(meterId(run), 0);
  }

  async #store(next: Run): Promise<void> {
    const before = this.#runs.last;
    const run = await this.#runs.advance(next);
    if (isTerminal(run) && before?.number === run.number && !isTerminal(before)) await this.#finish(run);
    if (unnotifiedWaiters(run).length > 0) await this.#notifyWebhooks(run);
    return this.#schedule();
  }

  /** Cleans up after a run: stops its worker, and plans to delete what attempts without a result have written. */
  async #finish(run: Run): Promise<void> {
    if (run.accepted && run.status !== 'succeeded')
      this.ctx.waitUntil(this.#worker.drop(run.submission.key, run.attempt));
    if (run.status === 'succeeded') await this.#retention.keep(run.number, run.keepUntil);
    // A worker may still be writing, although no report of it has arrived.
    await this.#deletion.schedule(stalePrefixes(run), Date.now() + lateWrites);
    await this.#retention.remember(run.keepUntil);
    await this.#backlog.leave(run.submission.key);
    await this.#meterRun(run);
  }

  /** Reports the end to the meter; the alarm repeats that until the meter has counted it. */
  async #meterRun(run: Run): Promise<void> {
    if (!(await reportToMeter(this.env, run))) return;
    // The run may have been erased meanwhile.
    await this.#runs.amend({ ...((await this.#runs.find(run.number)) ?? run), metered: true });
  }

  /** Hands over the events that webhooks wait for; the alarm repeats that until each webhook has its event. */
  async #notifyWebhooks(run: Run): Promise<void> {
    const notified = await notifyWebhooks(this.env, run);
    await this.#runs.amend(markNotified((await this.#runs.find(run.number)) ?? run, notified));
  }

  get #worker(): GpuWorker {
    return new GpuWorker(settings(this.env));
  }

  #meter({ tenant }: Submission): MeterPort {
    return this.env.METER.getByName(tenant);
  }

  async #deleteArtifacts(): Promise<void> {
    await this.#deletion.deleteDue(new Objects(settings(this.env)), Date.now());
    await this.#schedule();
  }

  async #schedule(): Promise<void> {
    const run = this.#runs.last;
    const due = run && this.#due === Infinity ? this.#forgottenAt(run) : this.#due;
    await (due === Infinity ? this.ctx.storage.deleteAlarm() : this.ctx.storage.setAlarm(due));
  }

  /** When the alarm has something to do. */
  get #due(): number {
    const run = this.#runs.last;
    return Math.min(this.#deletion.due, this.#retention.due, run ? nextCheckAt(run, Date.now()) : Infinity);
  }

  /** When no row leads to this computation any more, so that it may forget everything. */
  #forgottenAt({ keepUntil }: Run): number {
    const { EXPLANATION_DAYS } = settings(this.env);
    return Math.max(keepUntil, this.#retention.latest) + EXPLANATION_DAYS * day + margin;
  }

  /** Sends the message of another attempt; if the queue is down, the alarm does it again. */
  async #resend(run: Run): Promise<void> {
    await this.#send(run).catch((error: unknown) => console.error('another attempt was not sent', error));
  }

  async #send(run: Run): Promise<void> {
    const message: AttemptMessage = { key: run.submission.key, attempt: run.attempt };
    await this.env.JOBS.send(message);
  }
}
