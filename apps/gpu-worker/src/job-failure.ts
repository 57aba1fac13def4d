import type { JobError } from '@whylight/contract';
import { InputError, type InputErrorCode, OutOfMemoryError } from '@whylight/core';
import { ModelNotFoundError } from '@whylight/host';

/** A job that ends with an error for its user. */
export class JobFailure extends Error {
  override readonly name = 'JobFailure';
  readonly error: JobError;

  constructor(code: JobError['code'], message: string, retryable = false) {
    super(message);
    this.error = { code, message, retryable };
  }
}

const codes: Record<InputErrorCode, JobError['code']> = {
  invalid_model: 'internal',
  model_external_data_forbidden: 'internal',
  model_too_large: 'internal',
  invalid_tensor: 'internal',
  model_unsupported_op: 'method_not_supported',
  unknown_method: 'method_not_supported',
  method_not_supported: 'method_not_supported',
  invalid_image: 'invalid_image',
  image_too_large: 'image_too_large',
  unsupported_media_type: 'unsupported_media_type',
  invalid_parameter: 'invalid_parameter',
  target_out_of_range: 'target_out_of_range',
  non_finite_output: 'non_finite_output',
};

/**
 * The error that the user reads for `thrown`, which happened on `device`. Messages of errors that are not ours stay in the
 * log.
 */
export function jobErrorOf(thrown: unknown, device = 'cpu'): JobError {
  if (thrown instanceof JobFailure) return thrown.error;
  if (thrown instanceof InputError)
    return { code: codes[thrown.code], message: thrown.message, retryable: false };
  if (thrown instanceof ModelNotFoundError)
    return { code: 'model_not_found', message: thrown.message, retryable: false };
  if (thrown instanceof OutOfMemoryError)
    return {
      code: device === 'cpu' ? 'out_of_memory' : 'gpu_out_of_memory',
      message: `the ${device === 'cpu' ? 'machine' : 'GPU'} has too little memory for this, even one sample at a time: choose a cheaper method or a smaller model`,
      retryable: false,
    };
  return { code: 'internal', message: 'the worker failed on this job', retryable: true };
}
