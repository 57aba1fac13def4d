import { InputError, type InputErrorCode, OutOfMemoryError } from '@whylight/core';

/** An error in a message between the page and its worker, in which it loses its class. */
export type Failure =
  | { readonly kind: 'input'; readonly code: InputErrorCode; readonly message: string }
  | { readonly kind: 'memory' | 'aborted' | 'other'; readonly message: string };

export function failureOf(error: unknown): Failure {
  if (error instanceof InputError) return { kind: 'input', code: error.code, message: error.message };
  const { name = '', message = String(error) } = (error ?? {}) as Partial<Error>;
  if (error instanceof OutOfMemoryError) return { kind: 'memory', message };
  return { kind: name === 'AbortError' ? 'aborted' : 'other', message };
}

export function errorOf(failure: unknown): Error {
  const received = failure as Failure;
  if (received.kind === 'input') return new InputError(received.code, received.message);
  if (received.kind === 'memory') return new OutOfMemoryError(received.message);
  if (received.kind === 'aborted') return new DOMException(received.message, 'AbortError');
  return new Error(received.message);
}
