import { setTimeout as sleep } from 'node:timers/promises';
import type { Report } from '@whylight/contract';
import type { Log } from '../telemetry/log.ts';
import { type ClaimedJob, callGateway, isPassing, pauseAfter } from './gateway-call.ts';

type JobReport = Exclude<Report, { status: 'alive' }>;
/** A report without what the reporter adds itself. */
type ReportBody = JobReport extends infer R
  ? R extends JobReport
    ? Omit<R, 'attempt' | 'lease' | 'nonce'>
    : never
  : never;

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

/** Tries to send a report, in all, before it is given up. */
const tries = { processing: 3, progress: 1, succeeded: 8, failed: 8, handed_back: 8 } as const;

/**
 * Reports to the gateway how a job goes, in order, signed. It repeats a report that the gateway does not answer, or answers with
 * 5xx; after 409 it reports nothing more; it logs other refusals.
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
  report(body: ReportBody): Promise<void> {
    this.#waiting++;
    this.#last = this.#last.then(() => this.#deliver(body)).finally(() => this.#waiting--);
    return this.#last;
  }

  /** Reports progress unless another report is on its way or the last one is too recent. */
  progress(completed: number, total: number): void {
    const now = performance.now();
    if (this.#waiting > 0 || now < this.#nextProgress) return;
    this.#nextProgress = now + this.#settings.interval;
    void this.report({ status: 'progress', completed, total });
  }

  async #deliver(body: ReportBody): Promise<void> {
    const { attempt, lease, nonce, report_url } = this.#job;
    const report = { attempt, lease, nonce, ...body };
    for (let calls = 1; !this.#fenced; calls++) {
      const answer = await callGateway(this.#job, report_url, report, this.#settings.secret);
      const { status } = answer;
      if (status >= 200 && status < 300) return;
      if (status === 409) return this.#fence();
      this.#log('report_refused', { report: body.status, http_status: status, attempted: calls });
      if (!isPassing(answer) || calls === tries[body.status]) return;
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
