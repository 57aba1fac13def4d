import { AnswerError, ConnectionError } from './whylight-error.ts';

/** A fault that a schema finds. */
interface Issue {
  readonly code?: string | undefined;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly expected?: string;
  readonly values?: readonly unknown[];
}

/** Checks a body by a schema: `schema.safeParse`. */
export type Check<T> = (
  body: unknown,
) =>
  | { readonly success: true; readonly data: T }
  | { readonly success: false; readonly error: { readonly issues: readonly Issue[] } };

/**
 * Reads the JSON body of an answer.
 *
 * @throws AnswerError for a body that is not JSON or not of the schema. @throws ConnectionError if it breaks off. @throws the signal's reason
 */
export async function readAnswer<T>(
  response: Response,
  check: Check<T>,
  signal?: AbortSignal | null,
): Promise<T> {
  const text = await response.text().catch((error: unknown) => {
    signal?.throwIfAborted();
    throw new ConnectionError(response.url === '' ? 'the service' : new URL(response.url).origin, error);
  });
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new AnswerError(response, { pointer: '', expected: 'JSON', got: shown(text) });
  }
  const checked = checkedBody(body, check);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues as [Issue];
  throw new AnswerError(response, {
    pointer: issue.path.map((name) => `/${String(name)}`).join(''),
    expected: expectedBy(issue),
    got: shown(valueAt(body, issue.path)),
  });
}

/** `check(body)`. The conversion of an older form reads members before a schema has seen them. */
function checkedBody<T>(body: unknown, check: Check<T>): ReturnType<Check<T>> {
  try {
    return check(body);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const message = 'an answer of this version or the one before';
    return { success: false, error: { issues: [{ path: [], message, expected: message }] } };
  }
}

function expectedBy({ code, expected, values, message }: Issue): string {
  if (code === 'invalid_value' && values) return values.map((value) => JSON.stringify(value)).join(' or ');
  return expected ?? message;
}

function valueAt(body: unknown, path: readonly PropertyKey[]): unknown {
  let value = body;
  for (const name of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Object.entries(value).find(([own]) => own === String(name))?.[1];
  }
  return value;
}

/** The value in few words: an answer may hold what nobody should log in full. */
function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
