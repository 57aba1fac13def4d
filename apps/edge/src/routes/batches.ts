import { createRoute, z } from '@hono/zod-openapi';
import { batchRequestSchema, batchSchema, explanationRequestSchema } from '@whylight/contract';
import { type BatchItem, presentBatch } from '../domain/batch.ts';
import { LimitRefusal, notFound } from '../domain/refusal.ts';
import { isId, newId } from '../domain/ulid.ts';
import { refusalOf } from '../domain/validation.ts';
import { idempotent } from '../middleware/idempotent.ts';
import { body, declined, json, routes, tenantAction, tenantRoute } from '../openapi.ts';

const tags = ['batches'];
const params = z.object({ id: z.string() });

const create = createRoute({
  ...tenantRoute('explanations:write', idempotent('bat')),
  method: 'post',
  path: '/v1/batches',
  tags,
  summary: 'Create many explanations with one request',
  request: {
    headers: z.object({
      'idempotency-key': z.string().optional().describe('As of POST /v1/explanations'),
    }),
    ...body(batchRequestSchema),
  },
  responses: { 202: json(batchSchema, 'The batch has begun; ask again at `Location`'), ...declined },
});

const get = createRoute({
  ...tenantRoute('explanations:read'),
  method: 'get',
  path: '/v1/batches/{id}',
  tags,
  summary: 'Get the status of a batch and of its items',
  request: { params },
  responses: { 200: json(batchSchema, 'The batch in its present state'), ...declined },
});

const cancel = createRoute({
  ...tenantAction('explanations:write'),
  method: 'post',
  path: '/v1/batches/{id}/cancel',
  tags,
  summary: 'Cancel the items of a batch that have not ended',
  request: { params },
  responses: { 200: json(batchSchema, 'The batch in its present state'), ...declined },
});

export const batches = routes()
  .openapi(create, async (c) => {
    const { caller, services, requestId, newId: id } = c.var;
    const { tenant } = caller;
    const items = c.req.valid('json').items.map(itemOf);
    const state = { id, tenant, requestId, createdAt: Date.now(), canceled: false, items };
    const begun = await services.batch(tenant, id).create(state);
    if ('policy' in begun) throw new LimitRefusal(begun);
    c.set('subject', id);
    c.header('Location', `/v1/batches/${id}`);
    return c.json(presentBatch(begun), 202);
  })
  .openapi(get, async (c) => {
    const { caller, services } = c.var;
    const { id } = c.req.valid('param');
    const state = isId('bat', id) ? await services.batch(caller.tenant, id).read() : null;
    if (!state) throw notFound();
    return c.json(presentBatch(state), 200);
  })
  .openapi(cancel, async (c) => {
    const { caller, services } = c.var;
    const { id } = c.req.valid('param');
    const state = isId('bat', id) ? await services.batch(caller.tenant, id).cancel() : null;
    if (!state) throw notFound();
    return c.json(presentBatch(state), 200);
  });

/** Checks an item before the batch begins; an invalid one is refused alone. */
function itemOf(item: unknown, index: number): BatchItem {
  const parsed = explanationRequestSchema.safeParse(item);
  if (parsed.success) return { state: 'waiting', id: newId('exp'), asked: parsed.data };
  const { code, message, errors } = refusalOf(parsed.error, item);
  const placed = errors.map((error) => ({ ...error, pointer: `/items/${index}${error.pointer}` }));
  return { state: 'refused', error: { code, detail: message, retryable: false, errors: placed } };
}
