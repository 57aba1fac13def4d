import { ProblemError } from './problem-error.ts';

export interface Connection {
  /** Where the service is: `https://whylight.example`. */
  readonly url: string;
  readonly apiKey: string;
  /** Tries of one call, the first included. */
  readonly tries?: number | undefined;
  readonly fetch?: typeof fetch | undefined;
}

const retried = new Set([408, 429, 500, 502, 503, 504]);
/** Longest wait between two tries, in seconds. */
const longest = 30;

/**
 * One call of the API. A lost connection, 408, 429 and 5xx are tried again, after `Retry-After` or with growing,
 * jittered pauses: every call of this client may safely be made twice.
 *
 * @throws ProblemError for an answer that is not 2xx; the network's own error when there was none.
 */
export async function call(connection: Connection, path: string, init: RequestInit = {}): Promise<Response> {
  const { tries = 4, fetch: send = fetch } = connection;
  const headers = new Headers(init.headers);
  headers.set('Authorization', `Bearer ${connection.apiKey}`);
  if (init.body !== undefined && !headers.has('Content-Type'))
    headers.set('Content-Type', 'application/json');
  for (let attempt = 1; ; attempt++) {
    const last = attempt === tries;
    try {
      const response = await send(new URL(path, connection.url), { ...init, headers });
      if (response.ok) return response;
      if (last || !retried.has(response.status)) throw await ProblemError.of(response);
      await pause(attempt, Number(response.headers.get('Retry-After')), init.signal);
    } catch (error) {
      if (last || error instanceof ProblemError || init.signal?.aborted) throw error;
      await pause(attempt, 0, init.signal);
    }
  }
}

async function pause(attempt: number, asked: number, signal: AbortSignal | null | undefined): Promise<void> {
  const seconds = asked > 0 ? asked : 0.25 * 2 ** attempt * (0.5 + Math.random() / 2);
  await new Promise((resolve) => setTimeout(resolve, Math.min(seconds, longest) * 1000));
  signal?.throwIfAborted();
}
