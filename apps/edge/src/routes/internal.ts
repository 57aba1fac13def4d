import { z } from '@hono/zod-openapi';
import {
  type ClaimRefusal,
  claimSchema,
  presenceAnswerSchema,
  presencePath,
  presenceSchema,
  reportSchema,
} from '@whylight/contract';
import { notFound, Refusal } from '../domain/refusal.ts';
import { json } from '../http/responses.ts';
import { routes } from '../http/route.ts';
import { limitOf } from '../middleware/signed-by-worker.ts';

export const internal = routes('internal');

internal.route('POST', '/internal/claims/{key}', {
  access: 'worker',
  summary: 'Claim an attempt for one worker',
  body: claimSchema,
  readBody: limitOf('A claim', 4_096),
  responses: { 204: { description: 'The attempt belongs to this worker' } },
  handler: async ({ services, params, body }) => {
    const refusal = await services.computation(checkKey(params.key)).claimAttempt(body);
    if (refusal !== null) throw new Refusal(refusal, whyNot[refusal]);
    return { status: 204 };
  },
});

internal.route('POST', '/internal/reports/{key}', {
  access: 'worker',
  summary: 'Report a job’s status',
  body: reportSchema,
  readBody: limitOf('A report', 1_048_576),
  responses: { 204: { description: 'The gateway has stored the report' } },
  handler: async ({ services, params, body }) => {
    if (!(await services.computation(checkKey(params.key)).applyReport(body)))
      throw new Refusal('stale_report', 'The attempt is over, or never started: forget the job.');
    return { status: 204 };
  },
});

internal.route('POST', presencePath, {
  access: 'worker',
  summary: 'Report that a worker is there, and wait for orders for it',
  body: presenceSchema,
  readBody: limitOf('A presence report', 2 * 2 ** 20),
  responses: { 200: json(presenceAnswerSchema, 'The body has the gateway’s time and the orders') },
  handler: async ({ services, body }) => ({
    status: 200,
    body: await services.workerRegistry().report(body),
  }),
});

internal.route('GET', '/internal/backlog', {
  access: 'scaler',
  summary: 'Count what waits for a worker or has one; the scaler asks for this',
  responses: {
    200: json(
      z.object({ backlog: z.int() }),
      'The body has the number of computations, renderings, validations, warm-ups and requests without a catalog',
    ),
  },
  handler: async ({ services }) => ({ status: 200, body: { backlog: await services.backlog.count() } }),
});

const whyNot: Readonly<Record<ClaimRefusal, string>> = {
  attempt_claimed: 'Another worker has claimed the attempt: forget the job.',
  attempt_over: 'The attempt is over, or never started: forget the job.',
};

/** @throws Refusal `resource_not_found` for a text that is not a cache key */
function checkKey(key: string): string {
  if (!/^[0-9a-f]{64}$/.test(key)) throw notFound();
  return key;
}
