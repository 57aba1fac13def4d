import { ProblemError } from '@whylight/client';
import { KeyError, type Watch } from './engine.ts';

/** Seconds between two tries. */
const pause = 2;
/** What a proxy answers in place of a service that is away. */
const away = new Set([502, 503, 504]);

/**
 * Makes a call of the service, again and again while the service cannot be reached: its jobs go on without the page. The call
 * must be one that may be repeated.
 *
 * @throws KeyError if the service does not take the key. @throws ProblemError for its other refusals. @throws the signal's reason
 */
export async function untilReached<T>(
  call: () => Promise<T>,
  { signal, onReach }: Pick<Watch, 'signal' | 'onReach'>,
): Promise<T> {
  for (;;) {
    try {
      const answer = await call();
      onReach?.(true);
      return answer;
    } catch (error) {
      signal.throwIfAborted();
      if (isAway(error)) onReach?.(false);
      else if (!isTooMany(error)) throw asKeyError(error);
      await new Promise((resolve) => setTimeout(resolve, pause * 1000));
      signal.throwIfAborted();
    }
  }
}

/** `fetch` fails with a TypeError where nobody answers. */
const isAway = (error: unknown): boolean =>
  error instanceof ProblemError ? away.has(error.status) : error instanceof TypeError;

/** What passes within a minute: too many requests, or too many jobs under way. A quota does not, and is said. */
const passing = new Set(['rate_limited', 'concurrency_limited']);
const isTooMany = (error: unknown): boolean => error instanceof ProblemError && passing.has(error.code);

export const asKeyError = (error: unknown): unknown =>
  error instanceof ProblemError && error.status === 401 ? new KeyError(error.message) : error;
