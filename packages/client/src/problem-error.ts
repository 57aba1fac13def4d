import { type Problem, problemSchema } from '@whylight/contract';

/** The API refused a call. `code` is for programs, the message for people. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly code: string;
  readonly status: number;
  readonly requestId: string;
  readonly retryable: boolean;
  readonly errors: NonNullable<Problem['errors']>;

  constructor({ code, status, request_id, retryable, detail, errors = [] }: Problem) {
    // The detail may contain the message already; it is not repeated with its pointer.
    const more = errors.filter(({ message }) => !detail.includes(message));
    super([detail, ...more.map(({ pointer, message }) => `${pointer}: ${message}`)].join(' '));
    this.code = code;
    this.status = status;
    this.requestId = request_id;
    this.retryable = retryable;
    this.errors = errors;
  }

  /** Reads the problem from a response. Without one it describes the status. */
  static async of(response: Response): Promise<ProblemError> {
    const body: unknown = await response.json().catch(() => undefined);
    const parsed = problemSchema.safeParse(body);
    if (parsed.success) return new ProblemError(parsed.data);
    return new ProblemError({
      type: 'about:blank',
      title: response.statusText,
      status: response.status,
      detail: `The service answered ${response.status}.`,
      instance: '',
      code: `http_${response.status}`,
      request_id: response.headers.get('Request-Id') ?? '',
      retryable: response.status >= 500,
    });
  }
}
