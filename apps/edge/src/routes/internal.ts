import { createRoute, z } from '@hono/zod-openapi';
import { reportSchema } from '@whylight/contract';
import { notFound, Refusal } from '../domain/refusal.ts';
import { authenticateScaler } from '../middleware/authenticate.ts';
import { reportLimit, signedByWorker } from '../middleware/signed-by-worker.ts';
import { body, declined, json, routes } from '../openapi.ts';

const report = createRoute({
  method: 'post',
  path: '/internal/reports/{key}',
  tags: ['internal'],
  summary: 'What a worker says of a job',
  security: [{ workerSignature: [] }],
  middleware: [reportLimit, signedByWorker],
  request: { params: z.object({ key: z.string() }), ...body(reportSchema) },
  responses: { 204: { description: 'Taken down' }, ...declined },
});

const backlog = createRoute({
  method: 'get',
  path: '/internal/backlog',
  tags: ['internal'],
  summary: 'How many computations wait or run, for the scaler',
  security: [{ backlogKey: [] }],
  middleware: [authenticateScaler],
  responses: { 200: json(z.object({ backlog: z.int() }), 'The backlog'), ...declined },
});

export const internal = routes()
  .openapi(report, async (c) => {
    const { key } = c.req.valid('param');
    if (!/^[0-9a-f]{64}$/.test(key)) throw notFound();
    if (await c.var.services.flight(key).report(c.req.valid('json'))) return c.body(null, 204);
    throw new Refusal('stale_report', 'The attempt is over, or was never started: drop the job.');
  })
  .openapi(backlog, async (c) => {
    return c.json({ backlog: await c.var.services.backlog.count() }, 200);
  });
