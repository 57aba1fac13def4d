import { type ModelErrorCode, modelErrorCodes, type Validation, validationSchema } from '@whylight/contract';
import { InputError, OutOfMemoryError } from '@whylight/core';
import { JobFailure } from '../job-failure.ts';
import type { Log } from '../telemetry/log.ts';
import type { Examination } from './examination.ts';
import { ProcessLostError, type ProcessSettings } from './model-process.ts';

/** What was found before the time was over, or before the process ended. */
export function validationSoFar(
  examination: Examination,
  error: unknown,
  late: AbortSignal,
  { patience, log }: { readonly patience: number; readonly log: Log },
): Validation | undefined {
  const reason = `not run within the budget of ${patience / 1000} s`;
  const isLost = error instanceof ProcessLostError;
  if (!late.aborted && !isLost) return undefined;
  if (isLost) log('model_process_lost', { how: error.how });
  // Nobody may ask for a method that ends the process: each time it would take the model from everybody.
  const running = late.aborted
    ? { works: null, reason }
    : {
        works: false,
        reason:
          'the process that ran it has ended: the method crashes on this model, or needs more memory than a model gets',
      };
  const others = late.aborted ? reason : 'not run: another method has ended the process';
  return validationSchema.safeParse(examination.soFar(running, others)).data;
}

const isModelError = (code: string): code is ModelErrorCode =>
  (modelErrorCodes as readonly string[]).includes(code);

/** Why a model is refused, from what its examination ended with. */
export function refusalOf(
  error: unknown,
  late: AbortSignal,
  { patience, process }: { readonly patience: number; readonly process: ProcessSettings },
): { code: ModelErrorCode; message: string } {
  if (late.aborted)
    return {
      code: 'model_validation_timeout',
      message: `examining the model took longer than ${patience / 1000} s`,
    };
  if (error instanceof JobFailure && isModelError(error.error.code))
    return { code: error.error.code, message: error.message };
  if (error instanceof InputError)
    return { code: isModelError(error.code) ? error.code : 'invalid_model', message: error.message };
  if (error instanceof OutOfMemoryError)
    return {
      code: 'model_too_large',
      message: `the model needs more memory than the ${process.megabytes} MB that a model gets`,
    };
  if (error instanceof ProcessLostError) return { code: 'model_validation_failed', message: error.message };
  return { code: 'model_validation_failed', message: 'the model could not be examined' };
}

/** For the log: where an unforeseen error came from. */
export function causeOf(error: unknown): Record<string, unknown> {
  if (error instanceof ProcessLostError) return { how: error.how };
  return error instanceof Error && !(error instanceof InputError) ? { cause: error.stack } : {};
}
