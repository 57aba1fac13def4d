import type { Runtime } from '@whylight/core';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { version } from '../version.ts';

/** The phases of a job, in this order. */
export const phases = ['queue', 'download', 'decode', 'compute', 'render', 'upload'] as const;
export type Phase = (typeof phases)[number];

/** Creates the metrics of a worker, in a registry of its own. */
export function createMetrics() {
  const registers = [new Registry()];
  new Gauge({
    name: 'whylight_build_info',
    help: '1, with the release of the worker',
    labelNames: ['version'],
    registers,
  }).set({ version }, 1);
  return {
    registry: registers[0]!,
    accepted: new Counter({
      name: 'whylight_jobs_accepted_total',
      help: 'Jobs that were taken into the queue',
      registers,
    }),
    claims: new Counter({
      name: 'whylight_claims_total',
      help: 'Attempts that were asked for: claimed, refused (another worker has it, or it is over), or given up without an answer',
      labelNames: ['outcome'],
      registers,
    }),
    jobs: new Counter({
      name: 'whylight_jobs_total',
      help: 'Jobs that have ended: succeeded, failed with the code as the reason, or abandoned',
      labelNames: ['method', 'status', 'reason'],
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
      help: 'Finished explanations rendered again',
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
    waiting: new Gauge({ name: 'whylight_queue_pending', help: 'Jobs in the queue', registers }),
    running: new Gauge({ name: 'whylight_jobs_running', help: 'Jobs being worked on', registers }),
    ready: new Gauge({ name: 'whylight_ready', help: '1 when jobs are taken', registers }),
    modelLoads: new Counter({
      name: 'whylight_model_loads_total',
      help: 'Models of tenants that were loaded',
      registers,
    }),
    modelProcesses: new Gauge({
      name: 'whylight_model_processes',
      help: 'Processes that hold a model of a tenant',
      registers,
    }),
    modelBytes: new Gauge({
      name: 'whylight_model_memory_bytes',
      help: 'Memory that these processes take',
      registers,
    }),
    seconds: Object.fromEntries(phases.map((phase) => [phase, secondsOf(phase, registers)])) as Record<
      Phase,
      Histogram
    >,
  };
}
export type Metrics = ReturnType<typeof createMetrics>;

const secondsOf = (phase: Phase, registers: Registry[]) =>
  new Histogram({
    name: `whylight_${phase}_seconds`,
    help: `Time that a job spends: ${phase}`,
    buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100],
    registers,
  });

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
