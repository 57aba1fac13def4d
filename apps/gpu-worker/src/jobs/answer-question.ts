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
import type { ModelRegistry, PhotoClassifier, PhotoExplainer, PhotoExplanation } from '@whylight/host';
import type { TenantModels } from '../isolation/tenant-models.ts';
import { JobFailure } from '../job-failure.ts';
import type { Storage } from '../storage/storage.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics, Phase } from '../telemetry/metrics.ts';
import { readCheckpoint } from './checkpoint.ts';
import type { ClaimedJob } from './gateway-call.ts';
import { tenantOf } from './job-queue.ts';
import { resolveHere } from './question-check.ts';
import type { Reporter } from './reporter.ts';

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

/** One attempt at a job. */
export interface Attempt {
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly onState: (state: LoopState) => void;
  readonly recordPhase: (phase: Phase, milliseconds: number) => void;
}

/** Reads the photo, computes the answer, and writes the artifacts to the store under this claim. */
export async function answerQuestion(
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
