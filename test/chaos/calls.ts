import { setTimeout as sleep } from 'node:timers/promises';

/** Longest time for which one call is retried, in milliseconds: two restarts and more. */
const patience = 240_000;

const passing = new Set([409, 429, 500, 502, 503, 504]);

export interface Outcome {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: what came is judged by whoever asked
  readonly body: any;
}

/** Makes one call of the API, and retries it until the answer is not temporary, as a client does. */
export async function call(
  url: string,
  key: string,
  {
    method = 'GET',
    body,
    headers = {},
  }: { method?: string; body?: unknown; headers?: Record<string, string> } = {},
): Promise<Outcome> {
  const end = performance.now() + patience;
  for (let pause = 200; ; pause = Math.min(2 * pause, 4000)) {
    const answered = await once(url, {
      method,
      headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(20_000),
    });
    if (answered && !passing.has(answered.status)) return answered;
    if (performance.now() > end) return answered ?? { status: 0, body: null };
    await sleep(pause * (0.5 + Math.random()));
  }
}

async function once(url: string, init: RequestInit): Promise<Outcome | null> {
  try {
    const response = await fetch(url, { ...init, redirect: 'manual' });
    const text = await response.text();
    return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : null };
  } catch {
    return null;
  }
}
