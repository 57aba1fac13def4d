import { InputError, type InputErrorCode, OutOfMemoryError } from '@whylight/core';
import { type ExecutionProvider, ProviderUnavailableError } from './provider.ts';
import { DeviceError } from './runtime.ts';

// Errors lose their class on the way between threads and between processes: this is what they travel as.

export type Failure =
  | { readonly kind: 'input'; readonly code: InputErrorCode; readonly message: string }
  | { readonly kind: 'memory' | 'device'; readonly message: string }
  | { readonly kind: 'provider'; readonly provider: ExecutionProvider; readonly reason: string }
  | { readonly kind: 'other'; readonly message: string };

export function failureOf(error: unknown): Failure {
  const { message } = error as Error;
  if (error instanceof InputError) return { kind: 'input', code: error.code, message };
  if (error instanceof OutOfMemoryError) return { kind: 'memory', message };
  if (error instanceof DeviceError) return { kind: 'device', message };
  if (error instanceof ProviderUnavailableError)
    return { kind: 'provider', provider: error.provider, reason: error.reason };
  return { kind: 'other', message };
}

/** The error that a failure was made of. A failure may come from a stranger's process: one of no known kind is an error too. */
export function errorOf(received: unknown): Error {
  const failure = received as Failure | null | undefined;
  switch (failure?.kind) {
    case 'input':
      return new InputError(failure.code, failure.message);
    case 'memory':
      return new OutOfMemoryError(failure.message);
    case 'device':
      return new DeviceError(failure.message);
    case 'provider':
      return new ProviderUnavailableError(failure.provider, failure.reason);
    default:
      return new Error(failure?.message ?? 'the other thread or process has failed, and does not say why');
  }
}
