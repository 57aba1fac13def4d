import { createRoute, z } from '@hono/zod-openapi';
import { authenticateScaler } from '../middleware/authenticate.ts';
import { declined, routes } from '../openapi.ts';
import type { Count } from '../storage/service-metrics.ts';

const type = 'text/plain; version=0.0.4; charset=utf-8';

const read = createRoute({
  method: 'get',
  path: '/metrics',
  tags: ['internal'],
  summary: 'Get the metrics of the whole service, for Prometheus',
  security: [{ backlogKey: [] }],
  middleware: [authenticateScaler],
  responses: {
    200: { description: 'Prometheus text', content: { [type]: { schema: z.string() } } },
    ...declined,
  },
});

export const metrics = routes().openapi(read, async (c) =>
  c.text((await c.var.services.serviceMetrics.collect()).map(textOf).join(''), 200, { 'Content-Type': type }),
);

/** Writes a metric in Prometheus' text format. Its name and label values are our own, so nothing needs escaping. */
function textOf({ name, help, label, values }: Count): string {
  const samples = Object.entries(values).map(
    ([value, n]) => `${name}${label === null ? '' : `{${label}="${value}"}`} ${n}\n`,
  );
  return `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${samples.join('')}`;
}
