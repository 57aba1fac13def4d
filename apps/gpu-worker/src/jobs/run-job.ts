import { createHash } from 'node:crypto';
import {
  type Artifact,
  artifactContentTypes,
  artifactNames,
  artifactPrefix,
  type Job,
  mostPredictions,
  predictionMethod,
  type Result,
} from '@whylight/contract';
import type { LoopState } from '@whylight/core';
import { methods } from '@whylight/core/methods';
import {
  DeviceError,
  type ModelRegistry,
  type PhotoClassifier,
  type PhotoExplainer,
  type PhotoExplanation,
} from '@whylight/host';
import type { TenantModels } from '../isolation/tenant-models.ts';
import { JobFailure, jobErrorOf } from '../job-failure.ts';
import type { Storage } from '../storage/storage.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics, Phase } from '../telemetry/metrics.ts';
import { JobTrace } from '../telemetry/trace.ts';
import { readCheckpoint, writeCheckpoint } from './checkpoint.ts';
import type { ClaimedJob } from './gateway-call.ts';
import { type StopReason, tenantOf } from './job-queue.ts';
import { resolveHere } from './question-check.ts';
import { Reporter } from './reporter.ts';

/** What this worker's jobs have in common. */
export interface JobContext {
  readonly explainer: Pick<PhotoExplainer, 'explain'>;
  readonly classifier: Pick<PhotoClassifier, 'classify'>;
  readonly registry: ModelRegistry;
  readonly tenantModels: Pick<TenantModels, 'explain' | 'classify'>;
  readonly storage: Storage;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly secret: string;
  readonly device: string;
  /** Longest time for one job. */
  readonly seconds: number;
  /** Gets every error that ends a job, so that the worker notices a lost device. */
  readonly onError: (error: unknown) => void;
}

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

/** One attempt at a job. */
interface Attempt {
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly onState: (state: LoopState) => void;
  readonly recordPhase: (phase: Phase, milliseconds: number) => void;
}

async function answerQuestion(
  job: ClaimedJob,
  context: JobContext,
  { reporter, signal, log, recordPhase, onState }: Attempt,
): Promise<{ result: Result; artifacts: Artifact[]; batchSize: number }> {
  const { storage, metrics, explainer, tenantModels } = context;
  const { question, model } = job;
  const time = async <T>(phase: Phase, run: () => Promise<T>): Promise<T> => {
    const start = performance.now();
    return run().finally(() => recordPhase(phase, performance.now() - start));
  };

  const resolved = resolveHere(job, context.registry);
  const photo = await time('download', () => storage.get(job.input.object, job.input.bytes, signal));
  checkUpload(photo, job);
  if (!resolved) return { result: await predict(photo, job, context, signal), artifacts: [], batchSize: 1 };
  const request = { photo, question: resolved, style: job.style };
  const state = await readCheckpoint(job, signal, { ...context, log });
  const watch = {
    ...{ signal, state, onState },
    owner: tenantOf(job),
    onProgress: (completed: number, total: number) => reporter.progress(completed, total),
  };
  const explanation = model
    ? await tenantModels.explain(model, request, watch)
    : await explainer.explain({ ...request, model: question.model }, watch);
  metrics.explanations.inc();
  for (const phase of ['decode', 'compute', 'render'] as const)
    recordPhase(phase, explanation.result.milliseconds[phase]);
  const artifacts = await time('upload', () => write(explanation, job, storage, signal));
  const { task } = explanation.result;
  if (task === 'segmentation') throw new Error('a job explains a class, not a region');
  return { result: { ...explanation.result, task }, artifacts, batchSize: explanation.batchSize };
}

/** What the photo shows; the whole of it counts as computing. */
async function predict(
  photo: Uint8Array,
  { question, model: own }: Job,
  { classifier, tenantModels, metrics, device }: JobContext,
  signal: AbortSignal,
): Promise<Result> {
  const { model, convention, parameters, layers } = question;
  const start = performance.now();
  const { task, predictions, region, image, warnings } = own
    ? await tenantModels.classify(own, photo, mostPredictions, signal)
    : await classifier.classify(photo, model, mostPredictions);
  const compute = Math.round((performance.now() - start) * 100) / 100;
  metrics.predictions.inc();
  return {
    method: predictionMethod,
    ...{ convention, parameters, layers, task, predictions, image, warnings, device },
    target: predictions[0]!,
    attribution: null,
    input_region: region,
    milliseconds: { decode: 0, compute, render: 0 },
  };
}

function checkUpload(photo: Uint8Array, { input, question }: Job): void {
  if (photo.byteLength !== input.bytes)
    throw new JobFailure(
      'upload_mismatch',
      `the uploaded photo: expected ${input.bytes} bytes, got ${photo.byteLength}`,
    );
  const got = sha256Of(photo);
  if (got !== question.image)
    throw new JobFailure(
      'upload_mismatch',
      `the uploaded photo: expected sha256 ${question.image}, got ${got}`,
    );
}

const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function write(
  { artifacts }: PhotoExplanation,
  job: ClaimedJob,
  storage: Storage,
  signal: AbortSignal,
): Promise<Artifact[]> {
  return Promise.all(
    artifactNames.map(async (name) => {
      const bytes = artifacts.get(name)!;
      const content_type = artifactContentTypes[name];
      const object = artifactPrefix(job.output_prefix, job.nonce) + name;
      const sha256 = sha256Of(bytes);
      await storage.put(object, bytes, { contentType: content_type, sha256 }, signal);
      return { name, object, sha256, bytes: bytes.byteLength, content_type };
    }),
  );
}

/** What the log is told beyond the user's message: where an unforeseen error came from. */
function causeOf(thrown: unknown, code: string): Record<string, unknown> {
  if (!(thrown instanceof Error)) return {};
  if (code === 'internal') return { cause: thrown.stack };
  return thrown.cause instanceof Error ? { cause: thrown.cause.name } : {};
}
