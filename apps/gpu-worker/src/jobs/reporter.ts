import { setTimeout as sleep } from 'node:timers/promises';
import type { Report } from '@whylight/contract';
import type { Log } from '../telemetry/log.ts';
import { type ClaimedJob, callGateway, isPassing, pauseAfter } from './gateway-call.ts';

type Told = Exclude<Report, { status: 'alive' }>;
type News = Told extends infer R ? (R extends Told ? Omit<R, 'attempt' | 'lease' | 'nonce'> : never) : never;

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
  readonly #job: ClaimedJob;
  readonly #settings: Required<ReporterSettings>;
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;
  #nextProgress = 0;
  #fenced = false;

  constructor(job: ClaimedJob, settings: ReporterSettings) {
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
    const { attempt, lease, nonce, report_url } = this.#job;
    const report = { attempt, lease, nonce, ...news };
    for (let calls = 1; !this.#fenced; calls++) {
      const answer = await callGateway(this.#job, report_url, report, this.#settings.secret);
      const { status } = answer;
      if (status >= 200 && status < 300) return;
      if (status === 409) return this.#fence();
      this.#log('report_refused', { report: news.status, http_status: status, attempted: calls });
      if (!isPassing(answer) || calls === tries[news.status]) return;
      await sleep(pauseAfter(calls, this.#settings.patience));
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
