import { createRoute, z } from '@hono/zod-openapi';
import {
  explanationListSchema,
  explanationRequestSchema,
  explanationSchema,
  sha256Hex,
  traceparent,
} from '@whylight/contract';
import { cacheStatus } from '../domain/cache-status.ts';
import { cancelAfter } from '../domain/cancel-after.ts';
import { longestWait, preferredWait } from '../domain/prefer.ts';
import { isTerminal } from '../domain/run.ts';
import { idempotent } from '../middleware/idempotent.ts';
import { body, declined, json, routes, tenantAction, tenantRoute } from '../openapi.ts';
import { page, pageQuery } from '../paging.ts';
import type { ExplanationRow } from '../storage/explanations.ts';
import { measure } from '../timing.ts';
import { createExplanation } from '../use-cases/creation.ts';
import { findExplanation, present, runOf } from '../use-cases/submission.ts';

const tags = ['explanations'];
const params = z.object({ id: z.string() });

const create = createRoute({
  ...tenantRoute('explanations:write', idempotent('exp')),
  method: 'post',
  path: '/v1/explanations',
  tags,
  summary: 'Create an explanation: what did the classifier look at?',
  request: {
    headers: z.object({
      prefer: z
        .string()
        .optional()
        .describe('`wait=n`: answer when done, at the latest after n (at most 60) seconds'),
      'idempotency-key': z
        .string()
        .optional()
        .describe(
          '1 to 255 characters of your choice: a repetition within 24 hours gets the first answer again',
        ),
      'cancel-after': z
        .string()
        .optional()
        .describe('`90s`, `1h30m`: cancel the explanation if it has not ended by then'),
      'cache-control': z.string().optional().describe('`no-cache`: compute again'),
    }),
    ...body(explanationRequestSchema),
  },
  responses: {
    200: json(
      explanationSchema,
      'The explanation has ended: it was known, or it ended within the preferred time',
    ),
    202: json(explanationSchema, 'The explanation is under way; ask again at `Location`'),
    ...declined,
  },
});

const get = createRoute({
  ...tenantRoute('explanations:read'),
  method: 'get',
  path: '/v1/explanations/{id}',
  tags,
  summary: 'Get an explanation, or wait for it',
  request: { params, query: z.object({ wait: z.coerce.number().int().min(0).max(longestWait).default(0) }) },
  responses: {
    200: json(explanationSchema, 'The explanation in its present state'),
    304: { description: 'The explanation has not changed' },
    ...declined,
  },
});

const list = createRoute({
  ...tenantRoute('explanations:read'),
  method: 'get',
  path: '/v1/explanations',
  tags,
  summary: 'List explanations, newest first',
  request: { query: pageQuery },
  responses: { 200: json(explanationListSchema, 'A page of explanations'), ...declined },
});

const cancel = createRoute({
  ...tenantAction('explanations:write'),
  method: 'post',
  path: '/v1/explanations/{id}/cancel',
  tags,
  summary: 'Cancel an explanation; others that wait for the same result still get it',
  request: { params },
  responses: {
    200: json(explanationSchema, 'The explanation is canceled, or had ended before'),
    202: json(explanationSchema, 'The explanation is canceled; a worker is stopping the computation'),
    ...declined,
  },
});

const remove = createRoute({
  ...tenantAction('explanations:write'),
  method: 'delete',
  path: '/v1/explanations/{id}',
  tags,
  summary: 'Delete an explanation, and the result too if this explanation owns it',
  request: { params },
  responses: { 204: { description: 'Deleted' }, ...declined },
});

export const explanations = routes()
  .openapi(create, async (c) => {
    const { caller, services, requestId, newId } = c.var;
    const creation = {
      id: newId,
      tenant: caller.tenant,
      requestId,
      traceparent: traceparent(c.var.trace),
      asked: c.req.valid('json'),
      fresh: /(^|[\s,])no-cache($|[\s,])/i.test(c.req.header('Cache-Control') ?? ''),
      cancelAfter: cancelAfter(c.req.header('Cancel-After')),
    };
    const { row, admission } = await measure(c, 'cache', () => createExplanation(services, creation));
    c.set('subject', row.id);
    const wait = preferredWait(c.req.header('Prefer'));
    const run = await measure(c, 'queue', () => runOf(services, row, wait ?? 0, admission.run));
    c.header('Location', `/v1/explanations/${row.id}`);
    c.header('Cache-Status', cacheStatus[admission.via]);
    if (wait !== null) c.header('Preference-Applied', `wait=${wait}`);
    return c.json(present(row, run), isTerminal(run) ? 200 : 202);
  })
  .openapi(get, async (c) => {
    const { caller, services } = c.var;
    const row = await findExplanation(services, caller.tenant, c.req.valid('param').id);
    const explanation = present(row, await runOf(services, row, c.req.valid('query').wait));
    const tag = `"${(await sha256Hex(JSON.stringify(explanation))).slice(0, 32)}"`;
    c.header('ETag', tag);
    if (c.req.header('If-None-Match')?.includes(tag)) return c.body(null, 304);
    return c.json(explanation, 200);
  })
  .openapi(cancel, async (c) => {
    const { caller, services } = c.var;
    const row = await findExplanation(services, caller.tenant, c.req.valid('param').id);
    const stopped = await services.computation(row.key).cancel(row.run, row.id);
    return c.json(present(row, await runOf(services, row, 0)), stopped ? 202 : 200);
  })
  .openapi(remove, async (c) => {
    const { caller, services } = c.var;
    const row = await findExplanation(services, caller.tenant, c.req.valid('param').id);
    await services.computation(row.key).erase(row.run, row.id);
    await services.explanations.delete(caller.tenant, row.id);
    return c.body(null, 204);
  })
  .openapi(list, async (c) => {
    const { caller, services } = c.var;
    const { data, ...rest } = await page('exp', c.req.valid('query'), (limit, after) =>
      services.explanations.list(caller.tenant, limit, after),
    );
    const presented = async (row: ExplanationRow) => present(row, await runOf(services, row, 0));
    return c.json({ ...rest, data: await Promise.all(data.map(presented)) }, 200);
  });
