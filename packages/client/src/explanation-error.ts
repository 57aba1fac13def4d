import type { Explanation } from '@whylight/contract';
import { WhylightError } from './whylight-error.ts';

/** An explanation has ended without a result. `code` is the code of its error, or its status. */
export class ExplanationError extends WhylightError {
  override readonly name = 'ExplanationError';
  readonly explanation: Explanation;

  constructor(explanation: Explanation) {
    const { error, status, id, request_id: requestId } = explanation;
    super(error ? `${explanation.method}: ${error.message}` : `The explanation ${id} is ${status}.`, {
      ...{ code: error?.code ?? status, requestId, retryable: error?.retryable ?? false },
    });
    this.explanation = explanation;
  }
}
