import type { Runtime } from '@whylight/core';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

export type Phase = 'download' | 'decode' | 'compute' | 'render' | 'upload';

/** What a worker counts, in a registry of its own. */
export function createMetrics() {
  const registers = [new Registry()];
  return {
    registry: registers[0]!,
    accepted: new Counter({
      name: 'whylight_jobs_accepted_total',
      help: 'Jobs that were taken into the queue',
      registers,
    }),
    succeeded: new Counter({
      name: 'whylight_jobs_succeeded_total',
      help: 'Jobs that gave a result',
      registers,
    }),
    failed: new Counter({
      name: 'whylight_jobs_failed_total',
      help: 'Jobs that gave an error, by its code',
      labelNames: ['code'],
      registers,
    }),
    abandoned: new Counter({
      name: 'whylight_jobs_abandoned_total',
      help: 'Jobs given up because the gateway no longer wants them or the worker stops',
      registers,
    }),
    explanations: new Counter({
      name: 'whylight_explanations_total',
      help: 'Explanations computed',
      registers,
    }),
    predictions: new Counter({ name: 'whylight_predictions_total', help: 'Photos classified', registers }),
    renderings: new Counter({
      name: 'whylight_renderings_total',
      help: 'Finished explanations drawn again',
      registers,
    }),
    graphRuns: new Counter({
      name: 'whylight_graph_runs_total',
      help: 'Runs of a graph on the device',
      registers,
    }),
    batchSize: new Histogram({
      name: 'whylight_batch_size',
      help: 'Photos explained in one run of a graph',
      buckets: [1, 2, 4, 8, 16, 32],
      registers,
    }),
    waiting: new Gauge({ name: 'whylight_jobs_waiting', help: 'Jobs in the queue', registers }),
    running: new Gauge({ name: 'whylight_jobs_running', help: 'Jobs being worked on', registers }),
    ready: new Gauge({ name: 'whylight_ready', help: '1 when jobs are taken', registers }),
    seconds: new Histogram({
      name: 'whylight_phase_seconds',
      help: 'Time that a job spends, by phase',
      labelNames: ['phase'],
      buckets: [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100],
      registers,
    }),
  };
}
export type Metrics = ReturnType<typeof createMetrics>;

/** `runtime`, with every run of a graph counted. */
export const metered = (runtime: Runtime, { graphRuns }: Metrics): Runtime => ({
  ...runtime,
  async load(model) {
    const session = await runtime.load(model);
    return {
      run(feeds) {
        graphRuns.inc();
        return session.run(feeds);
      },
      close: () => session.close(),
    };
  },
});
