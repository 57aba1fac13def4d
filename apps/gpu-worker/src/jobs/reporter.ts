import { setTimeout as sleep } from 'node:timers/promises';
import { type Job, type Report, sign } from '@whylight/contract';
import type { Log } from '../telemetry/log.ts';

type Told = Exclude<Report, { status: 'alive' }>;
type News = Told extends infer R ? (R extends Told ? Omit<R, 'attempt' | 'lease'> : never) : never;

export interface ReporterSettings {
  readonly secret: string;
  readonly log: Log;
  /** Called once, when the gateway refuses a report with 409. */
  readonly onFenced: () => void;
  /** Milliseconds between two reports of progress. */
  readonly interval?: number;
  /** Milliseconds before the first repetition; doubled each time, up to 10 s. */
  readonly patience?: number;
}

/** How often a report is sent before it is given up, in all. */
const tries = { processing: 3, progress: 1, succeeded: 8, failed: 8 } as const;

/**
 * Tells the gateway how a job goes, in order, signed. A gateway that does not answer, or answers 5xx, is asked
 * again; 409 ends the conversation; other refusals are logged.
 */
export class Reporter {
  readonly #job: Job;
  readonly #settings: Required<ReporterSettings>;
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;
  #nextProgress = 0;
  #fenced = false;

  constructor(job: Job, settings: ReporterSettings) {
    this.#job = job;
    this.#settings = { interval: 500, patience: 250, ...settings };
  }

  /** Resolves when the report was taken, refused or given up. */
  report(news: News): Promise<void> {
    this.#waiting++;
    this.#last = this.#last.then(() => this.#deliver(news)).finally(() => this.#waiting--);
    return this.#last;
  }

  /** Reports progress unless another report is on its way or the last one is too recent. */
  progress(completed: number, total: number): void {
    const now = performance.now();
    if (this.#waiting > 0 || now < this.#nextProgress) return;
    this.#nextProgress = now + this.#settings.interval;
    void this.report({ status: 'progress', completed, total });
  }

  async #deliver(news: News): Promise<void> {
    const { attempt, lease } = this.#job;
    const body = JSON.stringify({ attempt, lease, ...news });
    for (let attempted = 1; !this.#fenced; attempted++) {
      const status = await post(this.#job, body, this.#settings.secret).catch(() => 0);
      if (status >= 200 && status < 300) return;
      if (status === 409) return this.#fence();
      this.#log('report_refused', { report: news.status, http_status: status, attempted });
      if ((status >= 300 && status < 500 && status !== 429) || attempted === tries[news.status]) return;
      await sleep(
        Math.min(this.#settings.patience * 2 ** (attempted - 1), 10_000) * (0.5 + Math.random() / 2),
      );
    }
  }

  #fence(): void {
    this.#fenced = true;
    this.#settings.onFenced();
  }

  #log(event: string, fields: Record<string, unknown>): void {
    const { key, attempt, request_id } = this.#job;
    this.#settings.log(event, { request_id, key, attempt, ...fields });
  }
}

/** One signed report. @returns the gateway's status */
export async function post(job: Job, body: string, secret: string): Promise<number> {
  const url = new URL(job.report_url);
  const call = {
    direction: 'worker-to-gateway',
    method: 'POST',
    path: url.pathname + url.search,
    body,
  } as const;
  const headers = await sign(secret, call, Date.now() / 1000);
  const response = await fetch(url, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json', 'request-id': job.request_id },
    body,
    redirect: 'manual',
    signal: AbortSignal.timeout(10_000),
  });
  await response.body?.cancel();
  return response.status;
}
