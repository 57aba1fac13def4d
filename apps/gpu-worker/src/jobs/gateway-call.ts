import { type Job, sign } from '@whylight/contract';

/** A job that this worker has taken, with the nonce that it made to claim the attempt. */
export interface ClaimedJob extends Job {
  readonly nonce: string;
}

/** The gateway's answer. */
export interface Answer {
  /** 0: no answer; the gateway was not reached, or did not answer in time. */
  readonly status: number;
  /** The code of a refusal; otherwise null. */
  readonly code: string | null;
}

/** One signed call to the gateway about a job; never rejects. */
export async function callGateway(
  job: Job,
  address: string,
  about: object,
  secret: string,
  milliseconds = 10_000,
): Promise<Answer> {
  try {
    const url = new URL(address);
    const [path, body] = [url.pathname + url.search, JSON.stringify(about)];
    const call = { direction: 'worker-to-gateway', method: 'POST', path, body } as const;
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        ...(await sign(secret, call, Date.now() / 1000)),
        'content-type': 'application/json',
        'request-id': job.request_id,
      },
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(milliseconds),
    });
    return { status: response.status, code: response.ok ? null : codeIn(await response.text()) };
  } catch {
    return { status: 0, code: null };
  }
}

/** Whether the same call may be answered otherwise a moment later. */
export const isPassing = ({ status }: Answer): boolean => status < 300 || status >= 500 || status === 429;

/** Milliseconds before a call is repeated after `calls` tries: doubled each time, up to 10 s, and varied at random. */
export const pauseAfter = (calls: number, first: number): number =>
  Math.min(first * 2 ** (calls - 1), 10_000) * (0.5 + Math.random() / 2);

function codeIn(problem: string): string | null {
  try {
    const { code } = JSON.parse(problem) as { code?: unknown };
    return typeof code === 'string' ? code : null;
  } catch {
    return null;
  }
}
