import type { Claim, ClaimRefusal, Job, JobError, Report } from '@whylight/contract';
import { sourceOf } from '../../domain/model.ts';
import {
  type AttemptMessage,
  claimOf,
  isTerminal,
  jobOf,
  longestQueueTime,
  type Run,
} from '../../domain/run.ts';
import {
  applyReport,
  claimAttempt,
  failRun,
  isRepeated,
  markDelivered,
  renewLease,
  retryOrFail,
} from '../../domain/transitions.ts';
import type { Bindings } from '../../env.ts';
import { services } from '../../services.ts';
import { freeMismatched } from '../../use-cases/arrivals.ts';
import type { AlarmTask } from './alarm-task.ts';
import type { Runs } from './runs.ts';

const modelDeleted: JobError = {
  code: 'model_deleted',
  message: 'The model has been deleted.',
  retryable: false,
};

const alwaysBusy: JobError = {
  code: 'deadline_exceeded',
  message: 'No worker had time for the job within 24 hours.',
  retryable: true,
};

/**
 * The attempts of the run under way: each is delivered to a worker, claimed, and reported on. The alarm watches the present
 * one, so that a lost message or a dead worker leads to another attempt or to a named error, never to silence.
 */
export class Attempts implements AlarmTask {
  readonly #runs: Runs;
  readonly #bindings: () => Bindings;
  readonly #store: (run: Run) => Promise<void>;

  constructor(runs: Runs, bindings: () => Bindings, store: (run: Run) => Promise<void>) {
    this.#runs = runs;
    this.#bindings = bindings;
    this.#store = store;
  }

  get due(): number {
    const run = this.#runs.last;
    return run && !isTerminal(run) ? run.deadline : Infinity;
  }

  async act(now: number): Promise<void> {
    const run = this.#runs.last!;
    const claim = claimOf(run);
    if (claim)
      console.warn(
        `${run.submission.requestId}: worker ${claim.worker} loses attempt ${claim.attempt}: it has not reported for a minute`,
      );
    await this.#storeAndSend(run, retryOrFail(run, now));
  }

  /** Sends the message of the run's present attempt. */
  async send(run: Run): Promise<void> {
    const message: AttemptMessage = { key: run.submission.key, attempt: run.attempt };
    await this.#bindings().JOBS.send(message);
  }

  /** The job of `attempt`; null if the attempt was accepted or is over: then the message needs no answer. */
  async deliver(attempt: number): Promise<Job | null> {
    const asked = this.#findUnaccepted(attempt);
    if (!asked) return null;
    if (Date.now() >= asked.createdAt + longestQueueTime) {
      await this.fail(attempt, alwaysBusy);
      return null;
    }
    const { key, tenant, model: id } = asked.submission;
    const { models, settings } = services(this.#bindings());
    const model = id ? await models.find(tenant, id) : null;
    if (id && !model) {
      await this.fail(attempt, modelDeleted);
      return null;
    }
    // The run may have changed while the database looked up the model.
    const run = this.#findUnaccepted(attempt);
    if (!run) return null;
    await this.#store(markDelivered(run, Date.now()));
    const url = (what: string) => new URL(`/internal/${what}/${key}`, settings.PUBLIC_URL).href;
    const urls = { claim_url: url('claims'), report_url: url('reports') };
    return jobOf(run, urls, model && sourceOf(model));
  }

  /** Notes that a worker has answered 202. */
  async accept(attempt: number): Promise<void> {
    const run = this.#findUnaccepted(attempt);
    if (run) await this.#store(renewLease(run, Date.now()));
  }

  /** Fails the run, because no worker accepts `attempt`. */
  async fail(attempt: number, error: JobError): Promise<void> {
    const run = this.#findUnaccepted(attempt);
    if (run) await this.#store(failRun(run, error, Date.now()));
  }

  /** Gives an attempt to the worker that asks for it first. @returns why it is refused, or null if it is this worker's */
  async claim(asked: Claim): Promise<ClaimRefusal | null> {
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
    await this.#storeAndSend(run, next);
    if (next.error?.code === 'upload_mismatch') await this.#freeUpload(next);
    return true;
  }

  /** Lets the photo be sent again. If that fails, the next explanation finds the same bytes and does it. */
  async #freeUpload({ submission: { input, question } }: Run): Promise<void> {
    const upload = { object: input.object, sha256: question.image };
    await freeMismatched(services(this.#bindings()), upload).catch((error: unknown) =>
      console.error('an upload with other bytes than were announced was not freed:', error),
    );
  }

  /** Stores `next`, and sends its attempt if that is a new one; if the queue is down, the alarm starts yet another one. */
  async #storeAndSend(run: Run, next: Run): Promise<void> {
    await this.#store(next);
    if (next.attempt !== run.attempt)
      await this.send(next).catch((error: unknown) => console.error('another attempt was not sent', error));
  }

  #findUnaccepted(attempt: number): Run | null {
    const run = this.#runs.last;
    return run && run.attempt === attempt && run.status === 'queued' && !run.accepted ? run : null;
  }
}
