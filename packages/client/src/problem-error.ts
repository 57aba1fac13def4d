import { type Problem, problemSchema } from '@whylight/contract';

/** What the API declined, and why: `code` for programs, the message for people. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly code: string;
  readonly status: number;
  readonly requestId: string;
  readonly retryable: boolean;
  readonly errors: NonNullable<Problem['errors']>;

  constructor({ code, status, request_id, retryable, detail, errors = [] }: Problem) {
    // What is said already is not said again with its place.
    const more = errors.filter(({ message }) => !detail.includes(message));
    super([detail, ...more.map(({ pointer, message }) => `${pointer}: ${message}`)].join(' '));
    this.code = code;
    this.status = status;
    this.requestId = request_id;
    this.retryable = retryable;
    this.errors = errors;
  }

  /** The problem that a response carries, or one that says what little is known. */
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
