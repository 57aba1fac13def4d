import { ProblemError } from './problem-error.ts';
import { type Check, readAnswer } from './read-answer.ts';
import { ConnectionError } from './whylight-error.ts';

export interface Connection {
  /** Address of the service, such as `https://whylight.example`. */
  readonly url: string;
  readonly apiKey: string;
  /** Most tries of one call, including the first. */
  readonly tries?: number | undefined;
  readonly fetch?: typeof fetch | undefined;
}

/** The version of the API whose answers this client reads. */
const apiVersion = '2026-12-01';

/** Statuses that mean that the service did nothing, so that any call may be repeated. */
const undone = new Set([408, 425, 429, 503]);
/** Longest wait between two tries, in seconds. */
const longest = 30;

/** Makes one call of the API, with the API key. @throws as `tried` */
export function call(
  connection: Connection,
  path: string,
  init: RequestInit = {},
  repeatable: boolean = init.method !== 'POST',
): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set('Authorization', `Bearer ${connection.apiKey}`);
  if (init.body !== undefined && !headers.has('Content-Type'))
    headers.set('Content-Type', 'application/json');
  headers.set('X-Api-Version', apiVersion);
  const send = () => tried(connection, new URL(path, connection.url), { ...init, headers }, repeatable);
  return send().catch((error: unknown) => {
    // A service of an earlier release knows its own version only, and refused the call without doing anything.
    if (!(error instanceof ProblemError && error.code === 'invalid_version')) throw error;
    headers.delete('X-Api-Version');
    return send();
  });
}

/**
 * Sends one request, to the API or to a signed URL, and retries it. A request that may be repeated is retried when the
 * connection is lost, for 408, 429 and 5xx, and for the 409 of a request in progress: after `Retry-After`, or after growing
 * pauses with jitter. A request that may not be repeated, by default a POST, is retried only if the answer says that the service
 * did nothing.
 *
 * @throws ProblemError if the last answer is not 2xx. @throws ConnectionError if there was none. @throws the signal's reason
 */
export async function tried(
  { tries = 4, fetch: send = fetch }: Connection,
  url: URL,
  init: RequestInit,
  repeatable: boolean,
): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    const answer = await send(url, init).catch((error: unknown) => {
      init.signal?.throwIfAborted();
      if (!repeatable || attempt >= tries) throw new ConnectionError(url.origin, error);
      return null;
    });
    if (answer?.ok) return answer;
    const problem = answer && (await ProblemError.of(answer));
    if (problem && (attempt >= tries || !isPassing(problem, repeatable))) throw problem;
    await pause(attempt, answer ? retryAfter(answer) : 0, init.signal);
  }
}

const isPassing = ({ status, code }: ProblemError, repeatable: boolean): boolean =>
  undone.has(status) || code === 'idempotency_in_progress' || (repeatable && status >= 500);

/** Seconds that the answer asks to wait. The header may state seconds or a time. */
function retryAfter(response: Response): number {
  const said = response.headers.get('Retry-After') ?? '';
  const seconds = /^\d+$/.test(said) ? Number(said) : (Date.parse(said) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(seconds, 0) : 0;
}

async function pause(attempt: number, asked: number, signal: AbortSignal | null | undefined): Promise<void> {
  const growing = 0.25 * 2 ** attempt;
  // Clients that got the same number of seconds must not all return at the same moment.
  const seconds = asked > 0 ? asked + 0.1 * growing * Math.random() : growing * (0.5 + Math.random() / 2);
  await sleep(Math.min(seconds, longest) * 1000, signal);
}

/** Waits. @throws the signal's reason as soon as it is aborted */
export function sleep(milliseconds: number, signal: AbortSignal | null | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener('abort', stop, { once: true });
  });
}

/** Fetches all items of a list, page by page. */
export async function* listed<T>(
  connection: Connection,
  path: string,
  check: Check<{ data: T[]; next_cursor: string | null }>,
): AsyncGenerator<T> {
  for (let cursor: string | null = ''; cursor !== null; ) {
    const after: string = cursor === '' ? '' : `&starting_after=${encodeURIComponent(cursor)}`;
    const page: { data: T[]; next_cursor: string | null } = await readAnswer(
      await call(connection, `${path}?limit=100${after}`),
      check,
    );
    yield* page.data;
    cursor = page.next_cursor;
  }
}

/** The option `signal` of `fetch`; no option if there is no signal. */
export const given = (signal: AbortSignal | undefined): { signal?: AbortSignal } =>
  signal ? { signal } : {};
