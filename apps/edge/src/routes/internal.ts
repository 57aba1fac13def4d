import { createRoute, z } from '@hono/zod-openapi';
import { type ClaimRefusal, claimSchema, reportSchema } from '@whylight/contract';
import { notFound, Refusal } from '../domain/refusal.ts';
import { authenticateScaler } from '../middleware/authenticate.ts';
import { limitOf, signedByWorker } from '../middleware/signed-by-worker.ts';
import { body, declined, json, routes } from '../openapi.ts';

const claim = createRoute({
  method: 'post',
  path: '/internal/claims/{key}',
  tags: ['internal'],
  summary: 'Claim an attempt for one worker',
  security: [{ workerSignature: [] }],
  middleware: [limitOf('A claim', 4_096), signedByWorker],
  request: { params: z.object({ key: z.string() }), ...body(claimSchema) },
  responses: { 204: { description: 'The attempt belongs to this worker' }, ...declined },
});

const report = createRoute({
  method: 'post',
  path: '/internal/reports/{key}',
  tags: ['internal'],
  summary: 'Report a job’s status',
  security: [{ workerSignature: [] }],
  middleware: [limitOf('A report', 1_048_576), signedByWorker],
  request: { params: z.object({ key: z.string() }), ...body(reportSchema) },
  responses: { 204: { description: 'The gateway has stored the report' }, ...declined },
});

const backlog = createRoute({
  method: 'get',
  path: '/internal/backlog',
  tags: ['internal'],
  summary: 'Count the computations that wait or run, for the scaler',
  security: [{ backlogKey: [] }],
  middleware: [authenticateScaler],
  responses: { 200: json(z.object({ backlog: z.int() }), 'The backlog'), ...declined },
});

const whyNot: Readonly<Record<ClaimRefusal, string>> = {
  attempt_claimed: 'Another worker has claimed the attempt: forget the job.',
  attempt_over: 'The attempt is over, or was never started: forget the job.',
};

/** @throws Refusal `resource_not_found` for a text that is no cache key */
function checkKey(key: string): string {
  if (!/^[0-9a-f]{64}$/.test(key)) throw notFound();
  return key;
}

export const internal = routes()
  .openapi(claim, async (c) => {
    const computation = c.var.services.computation(checkKey(c.req.valid('param').key));
    const refusal = await computation.claimAttempt(c.req.valid('json'));
    if (refusal === null) return c.body(null, 204);
    throw new Refusal(refusal, whyNot[refusal]);
  })
  .openapi(report, async (c) => {
    const computation = c.var.services.computation(checkKey(c.req.valid('param').key));
    if (await computation.applyReport(c.req.valid('json'))) return c.body(null, 204);
    throw new Refusal('stale_report', 'The attempt is over, or was never started: drop the job.');
  })
  .openapi(backlog, async (c) => {
    return c.json({ backlog: await c.var.services.backlog.count() }, 200);
  });
