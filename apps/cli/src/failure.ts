import { ProblemError, WhylightError } from '@whylight/client';
import { InputError, OutOfMemoryError } from '@whylight/core';
import { DeviceError, DownloadError, ModelNotFoundError, ProviderUnavailableError } from '@whylight/host';
import { CommanderError } from 'commander';

/** An error that the caller can correct on the command line. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A failure although the command line was right; the message says all that the user needs. */
export class Failure extends Error {
  override readonly name = 'Failure';
}

export interface FailureReport {
  readonly exitCode: 0 | 1 | 2;
  readonly code: string;
  /** One sentence, never a stack. */
  readonly message: string;
}

/** Statuses of a service if the question, not the service or the key, is wrong. */
const badInput: readonly number[] = [400, 404, 413, 415, 422];

/** Reports the end of a command that threw `error`. */
export function failureOf(error: unknown): FailureReport {
  if (error instanceof CommanderError)
    return {
      exitCode: error.exitCode === 0 ? 0 : 2,
      code: 'bad_usage',
      message: error.message.replace(/^error: /, ''),
    };
  if (error instanceof UsageError) return { exitCode: 2, code: 'bad_usage', message: error.message };
  if (error instanceof InputError) return { exitCode: 2, code: error.code, message: error.message };
  if (error instanceof ModelNotFoundError)
    return { exitCode: 2, code: 'model_not_found', message: error.message };
  if (error instanceof ProviderUnavailableError)
    return { exitCode: 1, code: 'provider_unavailable', message: error.message };
  if (error instanceof DeviceError || error instanceof OutOfMemoryError)
    return { exitCode: 1, code: 'device_failed', message: error.message };
  if (error instanceof DownloadError) return { exitCode: 1, code: 'download_failed', message: error.message };
  if (error instanceof ProblemError)
    return {
      exitCode: badInput.includes(error.status) ? 2 : 1,
      code: error.code,
      message: error.message,
    };
  if (error instanceof WhylightError) return { exitCode: 1, code: error.code, message: error.message };
  if (error instanceof Failure) return { exitCode: 1, code: 'failed', message: error.message };
  if (process.env.WHYLIGHT_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  const message = error instanceof Error ? error.message.split('\n')[0] : String(error);
  return { exitCode: 1, code: 'internal', message: `unexpected error: ${message}` };
}
