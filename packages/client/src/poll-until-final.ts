import { sleep } from './http.ts';
import { WhylightError } from './whylight-error.ts';

/** The longest time that one request waits at the gateway, in seconds. */
export const wait = 30;
/** Seconds between two requests if the gateway does not let them wait. */
const pollSeconds = 2;

interface Watch<T> {
  readonly isPending: (state: T) => boolean;
  /** Gets the state. The gateway may wait up to `seconds` for the state to become final. */
  readonly poll: (seconds: number) => Promise<T>;
  /** Whether the gateway lets requests wait. Default: it does. */
  readonly waits?: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((state: T) => void) | undefined;
}

/**
 * Polls until the state is final, and returns it: by requests that wait, or every two seconds if the gateway does not let
 * them wait or the connection is cut off.
 *
 * @throws what `poll` throws. @throws the signal's reason
 */
export async function pollUntilFinal<T>(
  first: T,
  { isPending, poll, waits: canWait = true, signal, onProgress }: Watch<T>,
): Promise<T> {
  let [now, waits] = [first, canWait];
  while (isPending(now)) {
    onProgress?.(now);
    if (!waits) await sleep(pollSeconds * 1000, signal);
    try {
      now = await poll(waits ? wait : 0);
    } catch (error) {
      const isAnswered = error instanceof WhylightError && error.status !== undefined && error.status < 500;
      if (!waits || signal?.aborted || isAnswered) throw error;
      waits = false;
    }
  }
  return now;
}
