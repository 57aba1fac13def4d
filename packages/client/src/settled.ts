import { sleep } from './http.ts';
import { ProblemError } from './problem-error.ts';

/** Longest that one request waits at the gateway, in seconds. */
export const wait = 30;
/** Seconds between two looks where requests do not wait. */
const glance = 2;

interface Watch<T> {
  readonly isPending: (state: T) => boolean;
  /** The state as it is, or as it is once it has changed, at the latest after `seconds`. */
  readonly look: (seconds: number) => Promise<T>;
  /** Whether `look` can wait. */
  readonly waits?: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((state: T) => void) | undefined;
}

/**
 * The state once it is final: by waiting requests or, where there are none or they are cut off, by looking every other
 * second.
 *
 * @throws what `look` throws. @throws the signal's reason
 */
export async function settled<T>(
  first: T,
  { isPending, look, waits: canWait = true, signal, onProgress }: Watch<T>,
): Promise<T> {
  let [now, waits] = [first, canWait];
  while (isPending(now)) {
    onProgress?.(now);
    if (!waits) await sleep(glance * 1000, signal);
    try {
      now = await look(waits ? wait : 0);
    } catch (error) {
      if (!waits || signal?.aborted || (error instanceof ProblemError && error.status < 500)) throw error;
      waits = false;
    }
  }
  return now;
}
