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
  const signal = AbortSignal.timeout(milliseconds);
  const { status, body } = await postToGateway(address, about, { secret, signal, requestId: job.request_id });
  return { status, code: status >= 200 && status < 300 ? null : codeIn(body) };
}

interface GatewayCall {
  readonly secret: string;
  readonly signal: AbortSignal;
  readonly requestId?: string;
}

/** Posts `about`, signed; never rejects. `body`: the JSON of the answer, or null. */
export async function postToGateway(
  address: string,
  about: object,
  { secret, signal, requestId }: GatewayCall,
): Promise<{ status: number; body: unknown }> {
  try {
    const url = new URL(address);
    const [path, body] = [url.pathname + url.search, JSON.stringify(about)];
    const call = { direction: 'worker-to-gateway', method: 'POST', path, body } as const;
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        ...(await sign(secret, call, Date.now() / 1000)),
        'content-type': 'application/json',
        ...(requestId !== undefined && { 'request-id': requestId }),
      },
      body,
      redirect: 'manual',
      signal,
    });
    return { status: response.status, body: parseJson(await response.text()) };
  } catch {
    return { status: 0, body: null };
  }
}

/** Whether the same call may be answered otherwise a moment later. */
export const isPassing = ({ status }: Answer): boolean => status < 300 || status >= 500 || status === 429;

/** Milliseconds before a call is repeated after `calls` tries: doubled each time, up to 10 s, and varied at random. */
export const pauseAfter = (calls: number, first: number): number =>
  Math.min(first * 2 ** (calls - 1), 10_000) * (0.5 + Math.random() / 2);

function codeIn(problem: unknown): string | null {
  const code = (problem as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
