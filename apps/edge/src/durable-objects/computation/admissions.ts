import type { JobError } from '@whylight/contract';
import { getOwn } from '@whylight/core/methods';
import type { Excess } from '../../domain/meter.ts';
import { isLasting, pause, withRendering } from '../../domain/rendering.ts';
import {
  type Admission,
  isTerminal,
  meterId,
  mostWaiters,
  type Run,
  type Submission,
  type WaitRequest,
} from '../../domain/run.ts';
import { beginRun } from '../../domain/transitions.ts';
import {
  addWaiter,
  cancelWaiter,
  expireWaiters,
  isOwnStyle,
  isWaitingFor,
  nextDeadline,
} from '../../domain/waiters.ts';
import type { Services } from '../../services.ts';
import type { AlarmTask } from './alarm-task.ts';
import type { Attempts } from './attempts.ts';
import type { BacklogRefresh } from './backlog-refresh.ts';
import { gone } from './rendering-calls.ts';
import type { Renderings } from './renderings.ts';
import type { Results } from './results.ts';
import type { Runs } from './runs.ts';

const tooManyWait: JobError = {
  code: 'worker_unreachable',
  message: `${mostWaiters} explanations have waited for this result already.`,
  retryable: true,
};

/** The members of a computation that its admissions use. */
interface Computation {
  readonly services: () => Services;
  readonly runs: Runs;
  readonly results: Results;
  readonly renderings: Renderings;
  readonly attempts: Attempts;
  readonly backlog: BacklogRefresh;
  readonly store: (run: Run) => Promise<void>;
  readonly setAlarm: () => Promise<void>;
}

/** Admits explanations to runs, where they wait; the alarm ends the waits whose time is over. */
export class Admissions implements AlarmTask {
  readonly #computation: Computation;

  constructor(computation: Computation) {
    this.#computation = computation;
  }

  get due(): number {
    return Math.min(Infinity, ...this.#computation.runs.open.map(nextDeadline));
  }

  async act(now: number): Promise<void> {
    for (const run of this.#computation.runs.open) {
      const next = expireWaiters(run, now);
      if (next !== run) await this.#computation.store(next);
    }
  }

  /** Joins the finished run, if its result is intact. Then the result has the pictures, or a worker is still asked for them. */
  async joinResult(request: WaitRequest): Promise<Admission | JobError | null> {
    const { results, renderings, runs, store, setAlarm } = this.#computation;
    const run = await results.find(request.keepUntil);
    if (!run) return null;
    // A repeated request: its explanation stays as it is, whether it waits or has been canceled.
    const before = getOwn(run.waiters, request.id);
    if (before && (before.outcome || isWaitingFor(run, request.id))) return { run, via: before.via };
    if (isOwnStyle(run, request.style)) return { run, via: 'hit' };
    const answer = await renderings.render(run, request.style, true);
    if ('rendering' in answer) return { run: withRendering(run, answer.rendering), via: 'hit' };
    if (isLasting(answer.error)) return answer.error;
    const now = await runs.find(run.number);
    if (!now || now.erased) return gone;
    if (Object.keys(now.waiters).length >= mostWaiters) return tooManyWait;
    await store(addWaiter(now, request, 'hit'));
    const waiting = (await runs.find(run.number))!;
    await renderings.ask(waiting, Date.now() + pause);
    await setAlarm();
    return { run: waiting, via: 'hit' };
  }

  /** Joins the run under way, or the finished one (unless `fresh`), or starts the next. */
  async admit(
    submission: Submission,
    fresh: boolean,
    request: WaitRequest,
  ): Promise<Admission | JobError | Excess> {
    const joined = await this.#joinExisting(fresh, request);
    if (joined) return joined;
    // Requests that arrive meanwhile ask the meter for the same run, which counts once.
    const { runs, services } = this.#computation;
    const id = meterId(beginRun(runs.last, submission, Date.now()));
    const excess = await services().meter(submission.tenant).begin(id, submission.units);
    return excess ?? (await this.#joinExisting(fresh, request)) ?? this.#startRun(submission, fresh, request);
  }

  /** Cancels `waiter`, if it has not ended. @returns whether that ends work that has begun */
  async cancel(number: number, waiter: string): Promise<boolean> {
    const run = await this.#computation.runs.find(number);
    if (!run) return false;
    const next = cancelWaiter(run, waiter, Date.now());
    if (next !== run) await this.#computation.store(next);
    return run.status === 'processing' && isTerminal(next);
  }

  async #joinExisting(fresh: boolean, request: WaitRequest): Promise<Admission | JobError | null> {
    const { runs, store } = this.#computation;
    const { last } = runs;
    const before = last && getOwn(last.waiters, request.id);
    if (last && before) return { run: last, via: before.via };
    if (last && !isTerminal(last)) {
      if (Object.keys(last.waiters).length >= mostWaiters)
        throw new Error(`${mostWaiters} explanations wait for this run already`);
      await store(addWaiter(last, request, 'collapsed'));
      return { run: runs.last!, via: 'collapsed' };
    }
    return fresh ? null : this.joinResult(request);
  }

  async #startRun(submission: Submission, fresh: boolean, request: WaitRequest): Promise<Admission> {
    const { runs, attempts, backlog, store } = this.#computation;
    const { last } = runs;
    const via = fresh ? 'bypass' : 'miss';
    const run = addWaiter(beginRun(last, submission, Date.now()), request, via);
    // In memory before the message is sent, so that a request meanwhile joins; stored only after the message was sent, so
    // that nothing stays if the queue is down.
    runs.setLast(run);
    try {
      await backlog.act(Date.now());
      await attempts.send(run);
    } catch (error) {
      // If others have joined meanwhile, the run stays, and the alarm sends the message again.
      if (runs.last === run) {
        await this.#undoStart(run, last);
        throw error;
      }
    }
    // A worker may have changed the run before the queue's answer arrived: that change stays.
    if (runs.last === run) await store(run);
    return { run: runs.last!, via };
  }

  async #undoStart(run: Run, last: Run | null): Promise<void> {
    const { runs, services, setAlarm } = this.#computation;
    await runs.undoStart(run, last);
    await setAlarm();
    await services().backlog.leave('computation', run.submission.key);
    await services().meter(run.submission.tenant).end(meterId(run), 0);
  }
}
