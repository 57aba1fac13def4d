import { type Job, type JobError, predictionMethod } from '@whylight/contract';
import { InputError, scoreKinds } from '@whylight/core';
import { numericsVersion, type ResolvedQuestion, resolveQuestion } from '@whylight/core/methods';
import type { ModelRegistry } from '@whylight/host';
import { JobFailure, jobErrorOf } from '../job-failure.ts';

/**
 * Why this worker cannot answer the question of a job, although another worker may: it lacks the model, or is of another release.
 * Null if it can, or if no worker can.
 */
export function findRefusal(job: Pick<Job, 'question' | 'model'>, registry: ModelRegistry): JobError | null {
  try {
    resolveHere(job, registry);
    return null;
  } catch (error) {
    const isOurs =
      error instanceof JobFailure || (error instanceof InputError && error.code === 'unknown_method');
    return isOurs ? jobErrorOf(error) : null;
  }
}

/**
 * The question as this worker's methods have it, which may be of another release than the gateway's. Here it enters the
 * process: from here on it is handed on as it is. Null for a prediction. One of an earlier release says no score: then it is the
 * method's own.
 *
 * @throws JobFailure, InputError
 */
export function resolveHere(
  { question, model: own }: Pick<Job, 'question' | 'model'>,
  registry: ModelRegistry,
): ResolvedQuestion | null {
  if (!own) checkModel(question, registry);
  checkNumerics(question);
  if (question.method === predictionMethod) return null;
  const { method, method_version: version } = question;
  const score = scoreKinds.find((kind) => kind === question.score);
  if (question.score !== undefined && !score)
    throw new JobFailure(
      'method_not_supported',
      `this worker does not know the score "${question.score}"`,
      true,
    );
  const resolved = resolveQuestion({ ...question, score });
  if (resolved.method_version !== version)
    throw new JobFailure(
      'method_not_supported',
      `method ${method}: expected version ${version}, this worker has ${resolved.method_version}`,
      true,
    );
  return resolved;
}

/** Holds the question to this worker's models, which may be others than the gateway thinks. */
function checkModel({ model, preprocessing }: Job['question'], registry: ModelRegistry): void {
  const known = registry.list().find(({ digest }) => digest === model);
  if (known?.preprocessingDigest !== preprocessing)
    throw new JobFailure(
      'model_not_found',
      `this worker has no model ${model} with preprocessing ${preprocessing}`,
    );
}

/** Refuses a question whose answer another release would compute otherwise. One of a release before versions asks for any. */
function checkNumerics({ numerics_version: version = numericsVersion }: Job['question']): void {
  if (version !== numericsVersion)
    throw new JobFailure(
      'method_not_supported',
      `the numerics version: expected ${version}, this worker has ${numericsVersion}`,
      true,
    );
}
