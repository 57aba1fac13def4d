import { type Job, predictionMethod } from '@whylight/contract';
import type { LoopState } from '@whylight/core';
import { methods } from '@whylight/core/methods';
import { DeviceError } from '@whylight/host';
import { JobFailure, jobErrorOf } from '../job-failure.ts';
import { storeFieldsOf } from '../storage/store-failure.ts';
import type { Log } from '../telemetry/log.ts';
import type { Phase } from '../telemetry/metrics.ts';
import { JobTrace } from '../telemetry/trace.ts';
import { answerQuestion, type JobContext } from './answer-question.ts';
import { writeCheckpoint } from './checkpoint.ts';
import type { ClaimedJob } from './gateway-call.ts';
import type { StopReason } from './job-queue.ts';
import { Reporter } from './reporter.ts';

/** Photo from storage, explanation, artifacts to storage under this claim, reports on the way. Never rejects. */
export async function runJob(
  job: ClaimedJob,
  context: JobContext,
  stopped: AbortSignal,
  waited: number,
): Promise<void> {
  const { metrics, secret, seconds } = context;
  const log: Log = (event, fields) =>
    context.log(event, { request_id: job.request_id, key: job.key, attempt: job.attempt, ...fields });
  const fenced = new AbortController();
  const { late, clear } = startDeadline(seconds);
  const signal = AbortSignal.any([stopped, fenced.signal, late]);
  const reporter = new Reporter(job, { secret, log: context.log, onFenced: () => fenced.abort() });

  const trace = new JobTrace(job, log);
  const recordPhase = (phase: Phase, milliseconds: number) => {
    metrics.seconds[phase].observe(milliseconds / 1000);
    trace.phase(phase, milliseconds);
  };
  const recordEnd = (status: string, reason = '') => {
    metrics.jobs.inc({ method: methodLabel(job), status, reason });
    trace.end(status);
  };
  recordPhase('queue', waited);

  let state = null as LoopState | null;
  try {
    // A job that has only waited when the worker stops was never begun.
    signal.throwIfAborted();
    log('job_started', { method: job.question.method, model: job.question.model });
    void reporter.report({ status: 'processing' });
    const { result, artifacts, batchSize } = await answerQuestion(job, context, {
      reporter,
      signal,
      log,
      recordPhase,
      onState: (made) => {
        state = made;
      },
    });
    await reporter.report({ status: 'succeeded', result, artifacts });
    fenced.signal.throwIfAborted();
    recordEnd('succeeded');
    log('job_succeeded', { device: result.device, milliseconds: result.milliseconds, batch_size: batchSize });
  } catch (thrown) {
    const reason = stopped.aborted ? (stopped.reason as StopReason) : null;
    if (fenced.signal.aborted || reason === 'superseded' || reason === 'unwanted') {
      recordEnd('abandoned', reason ?? 'fenced');
      log('job_abandoned', { reason: reason ?? 'fenced' });
      return;
    }
    if (!stopped.aborted && !late.aborted) context.onError(thrown);
    // A job that a lost device takes with it is for the next worker, like those of one that is told to stop.
    if (stopped.aborted || thrown instanceof DeviceError) {
      const checkpoint = state && (await writeCheckpoint(job, state, { ...context, log }));
      recordEnd('abandoned', 'shutdown');
      const done = checkpoint && { completed: checkpoint.completed, total: checkpoint.total };
      log('job_handed_back', { ...done, bytes: checkpoint?.bytes ?? 0 });
      await reporter.report({ status: 'handed_back', checkpoint });
      return;
    }
    const error = late.aborted
      ? new JobFailure('deadline_exceeded', `the job took longer than ${seconds} s`).error
      : jobErrorOf(thrown, context.device);
    recordEnd('failed', error.code);
    log('job_failed', { code: error.code, message: error.message, ...causeOf(thrown, error.code) });
    await reporter.report({ status: 'failed', error });
  } finally {
    clear();
  }
}

/** Like AbortSignal.timeout, which keeps all that listens to it, and so the job, until its time has come. */
function startDeadline(seconds: number): { late: AbortSignal; clear: () => void } {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), seconds * 1000);
  return { late: controller.signal, clear: () => clearTimeout(timer) };
}

/** What metrics call a method: one that does not exist must not make a series of its own. */
const methodLabel = ({ question: { method } }: Job): string =>
  method === predictionMethod || methods.some(({ id }) => id === method) ? method : 'unknown';

/** What the log is told beyond the user's message: where an unforeseen error came from. */
function causeOf(thrown: unknown, code: string): Record<string, unknown> {
  if (!(thrown instanceof Error)) return {};
  if (code === 'internal') return { cause: thrown.stack };
  return storeFieldsOf(thrown);
}
