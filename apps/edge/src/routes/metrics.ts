import { text } from '../http/responses.ts';
import { routes } from '../http/route.ts';
import type { Count } from '../storage/service-metrics.ts';

const type = 'text/plain; version=0.0.4; charset=utf-8';

export const metrics = routes('internal');

metrics.route('GET', '/metrics', {
  access: 'scaler',
  summary: 'Get the metrics of the whole service, for Prometheus',
  responses: { 200: text(type, 'The body has the metrics in Prometheus’ text format') },
  handler: async ({ services }) => ({
    status: 200,
    headers: { 'Content-Type': type },
    body: (await services.serviceMetrics.collect()).map(textOf).join(''),
  }),
});

/** Writes a metric in Prometheus' text format. Its name and label values are our own, so nothing needs escaping. */
function textOf({ name, help, label, values }: Count): string {
  const samples = Object.entries(values).map(
    ([value, n]) => `${name}${label === null ? '' : `{${label}="${value}"}`} ${n}\n`,
  );
  return `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${samples.join('')}`;
}
