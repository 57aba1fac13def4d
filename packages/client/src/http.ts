import { ProblemError } from './problem-error.ts';

export interface Connection {
  /** Where the service is: `https://whylight.example`. */
  readonly url: string;
  readonly apiKey: string;
  /** Tries of one call, the first included. */
  readonly tries?: number | undefined;
  readonly fetch?: typeof fetch | undefined;
}

/** The version of the API whose answers this client reads. */
const apiVersion = '2026-12-01';

/** Statuses that say that nothing was done, so that anything may be tried again. */
const undone = new Set([408, 425, 429, 503]);
/** Longest wait between two tries, in seconds. */
const longest = 30;

/** One call of the API, which is told the key. @throws as `tried` */
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
    // A service of an earlier release knows one version, its own, and has done nothing.
    if (!(error instanceof ProblemError && error.code === 'invalid_version')) throw error;
    headers.delete('X-Api-Version');
    return send();
  });
}

/**
 * One request, to the API or to a signed URL. What may be made twice is tried again when the connection is lost, and for 408, 429, 5xx and
 * the 409 of a request that is being answered: after `Retry-After`, or with growing, jittered pauses. What may not, a
 * POST unless said, is tried again only where the answer says that nothing was done.
 *
 * @throws ProblemError for an answer that is not 2xx; the network's own error when there was none.
 */
export async function tried(
  { tries = 4, fetch: send = fetch }: Connection,
  url: URL,
  init: RequestInit,
  repeatable: boolean,
): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    const answer = await send(url, init).catch((error: unknown) => {
      if (!repeatable || attempt >= tries || init.signal?.aborted) throw error;
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

/** Seconds that the answer asks for; it may say them, or a time. */
function retryAfter(response: Response): number {
  const said = response.headers.get('Retry-After') ?? '';
  const seconds = /^\d+$/.test(said) ? Number(said) : (Date.parse(said) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(seconds, 0) : 0;
}

async function pause(attempt: number, asked: number, signal: AbortSignal | null | undefined): Promise<void> {
  const growing = 0.25 * 2 ** attempt;
  // Whoever was told the same number of seconds is not to come back all at once.
  const seconds = asked > 0 ? asked + 0.1 * growing * Math.random() : growing * (0.5 + Math.random() / 2);
  await sleep(Math.min(seconds, longest) * 1000, signal);
}

/** @throws the signal's reason, at once, when it is aborted */
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

/** Everything that a list holds, page by page. */
export async function* listed<T>(
  connection: Connection,
  path: string,
  parse: (body: unknown) => { data: T[]; next_cursor: string | null },
): AsyncGenerator<T> {
  for (let cursor: string | null = ''; cursor !== null; ) {
    const after = cursor === '' ? '' : `&starting_after=${encodeURIComponent(cursor)}`;
    const page = parse(await (await call(connection, `${path}?limit=100${after}`)).json());
    yield* page.data;
    cursor = page.next_cursor;
  }
}

/** `signal` as `fetch` takes it: left out when there is none. */
export const given = (signal: AbortSignal | undefined): { signal?: AbortSignal } =>
  signal ? { signal } : {};
