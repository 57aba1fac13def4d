/** The facts of an error that programs go by. */
export interface ErrorFacts {
  readonly code: string;
  readonly status?: number | undefined;
  readonly requestId?: string | undefined;
  readonly retryable: boolean;
  readonly cause?: unknown;
}

/** Every error of this package. `code` is for programs, the message for people. */
export class WhylightError extends Error {
  override readonly name: string = 'WhylightError';
  readonly code: string;
  /** The HTTP status of the answer; undefined if there was no answer. */
  readonly status: number | undefined;
  /** Give it to the operator of the service; undefined if no answer has told it. */
  readonly requestId: string | undefined;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;

  constructor(message: string, { code, status, requestId, retryable, cause }: ErrorFacts) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.status = status;
    this.requestId = requestId;
    this.retryable = retryable;
  }
}

/** No answer came, or it broke off. `cause` is the error of `fetch`. */
export class ConnectionError extends WhylightError {
  override readonly name = 'ConnectionError';

  /** @param origin of the URL, and no more of it: the query of a signed URL is a secret */
  constructor(origin: string, cause: unknown) {
    super(`${origin}: no answer (${reasonOf(cause)}). Check the address, the network and the service.`, {
      ...{ code: 'connection_failed', retryable: true, cause },
    });
  }
}

/** The result was not there in time. The service cancels the explanation. */
export class TimeoutError extends WhylightError {
  override readonly name = 'TimeoutError';

  constructor(seconds: number) {
    super(
      `The explanation did not end within ${seconds} s. Give a longer timeout, or choose a cheaper method.`,
      {
        ...{ code: 'timeout', retryable: true },
      },
    );
  }
}

/** An answer of the service does not have the form that this client reads. */
export class AnswerError extends WhylightError {
  override readonly name = 'AnswerError';
  /** Where in the answer, as a JSON pointer; empty for the whole of it. */
  readonly pointer: string;
  readonly expected: string;
  readonly got: string;

  constructor(
    response: Response,
    { pointer, expected, got }: Pick<AnswerError, 'pointer' | 'expected' | 'got'>,
  ) {
    const where = pointer === '' ? 'the answer' : pointer;
    super(
      `${pathOf(response)}: ${where}: expected ${expected}; got ${got}. A newer version of this client may read it.`,
      {
        code: 'unexpected_answer',
        status: response.status,
        requestId: response.headers.get('Request-Id') ?? undefined,
        retryable: false,
      },
    );
    this.pointer = pointer;
    this.expected = expected;
    this.got = got;
  }
}

/** The path that answered. A `fetch` of the caller's own may not tell it. */
const pathOf = ({ url }: Response): string => (url === '' ? 'the service' : new URL(url).pathname);

/** Node's fetch says why in the error's cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error && cause.message !== '' ? cause.message : error.message;
}
