import { InputError, type InputErrorCode, OutOfMemoryError } from '@whylight/core';
import { type ExecutionProvider, ProviderUnavailableError } from './provider.ts';
import { DeviceError } from './runtime.ts';

// An error loses its class between threads and between processes, so it is sent in this form.

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

/** Restores the error from its sent form. An untrusted process may send anything, so an unknown form becomes a plain error. */
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
      return new Error(failure?.message ?? 'the other thread or process failed without a message');
  }
}
