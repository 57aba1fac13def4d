import { type Problem, problemSchema } from '@whylight/contract';
import { WhylightError } from './whylight-error.ts';

/** The API refused a call. `code` is for programs, the message for people. */
export class ProblemError extends WhylightError {
  override readonly name = 'ProblemError';
  declare readonly status: number;
  declare readonly requestId: string;
  readonly errors: NonNullable<Problem['errors']>;

  constructor({ code, status, request_id, retryable, detail, errors = [] }: Problem) {
    // The detail may contain the message already; it is not repeated with its pointer.
    const more = errors.filter(({ message }) => !detail.includes(message));
    const message = [detail, ...more.map(({ pointer, message }) => `${pointer}: ${message}`)].join(' ');
    super(message, { code, status, requestId: request_id, retryable });
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
