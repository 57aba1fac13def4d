import type { Explanation } from '@whylight/contract';

/** An explanation has ended without a result. `code` is the code of its error, or its status. */
export class ExplanationError extends Error {
  override readonly name = 'ExplanationError';
  readonly code: string;
  readonly retryable: boolean;
  readonly explanation: Explanation;

  constructor(explanation: Explanation) {
    const { error, status, id } = explanation;
    super(error ? `${explanation.method}: ${error.message}` : `The explanation ${id} is ${status}.`);
    this.code = error?.code ?? status;
    this.retryable = error?.retryable ?? false;
    this.explanation = explanation;
  }
}
