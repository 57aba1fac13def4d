import { childOf, type Job, traceOf } from '@whylight/contract';
import type { Log } from './log.ts';
import type { Phase } from './metrics.ts';

/**
 * The spans of one job, as lines in the log, in OpenTelemetry's terms: whoever collects the log has the trace that began
 * in the gateway, or with its client.
 */
export class JobTrace {
  readonly #log: Log;
  readonly #gateway: ReturnType<typeof traceOf>;
  readonly #own: ReturnType<typeof traceOf>;
  readonly #begun = Date.now();

  constructor(job: Job, log: Log) {
    this.#log = log;
    this.#gateway = traceOf(job.traceparent);
    this.#own = childOf(this.#gateway);
  }

  /** A phase that has just ended, and took so many milliseconds. */
  phase(phase: Phase, milliseconds: number): void {
    const { spanId: span_id } = childOf(this.#own);
    this.#span({ name: `worker.${phase}`, span_id, parent_span_id: this.#own.spanId }, milliseconds);
  }

  /** The job as a whole has ended. */
  end(status: string): void {
    const { spanId: span_id } = this.#own;
    const about = { name: 'worker.job', span_id, parent_span_id: this.#gateway.spanId, status };
    this.#span(about, Date.now() - this.#begun);
  }

  #span(about: Readonly<Record<string, string>>, milliseconds: number): void {
    this.#log('span', {
      trace_id: this.#own.traceId,
      ...about,
      start: new Date(Date.now() - milliseconds).toISOString(),
      milliseconds: Math.round(milliseconds * 100) / 100,
    });
  }
}
