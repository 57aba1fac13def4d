import { batchRequestSchema, batchSchema, explanationRequestSchema } from '@whylight/contract';
import { type BatchItem, presentBatch } from '../domain/batch.ts';
import { idempotencyKeyPattern } from '../domain/idempotency.ts';
import { LimitRefusal, notFound } from '../domain/refusal.ts';
import { isId, newId } from '../domain/ulid.ts';
import { refusalOf } from '../domain/validation.ts';
import { json } from '../http/responses.ts';
import { routes } from '../http/route.ts';
import { idempotent } from '../middleware/idempotent.ts';

export const batches = routes('batches');

batches.route('POST', '/v1/batches', {
  id: 'batches.create',
  access: 'explanations:write',
  refuses: ['concurrency_limited'],
  middleware: idempotent('bat'),
  summary: 'Create many explanations with one request',
  headers: {
    'idempotency-key': {
      description: 'It works as for POST /v1/explanations',
      pattern: idempotencyKeyPattern,
    },
  },
  body: batchRequestSchema,
  responses: {
    202: json(batchSchema, 'The batch has begun; ask again at `Location`', [
      'Location',
      'Idempotent-Replayed',
    ]),
  },
  handler: async ({ tenant, services, requestId, newId: id, body }, c) => {
    const items = body.items.map(itemOf);
    const state = { id, tenant, requestId, createdAt: Date.now(), canceled: false, items };
    const begun = await services.batch(tenant, id).create(state);
    if ('policy' in begun) throw new LimitRefusal(begun);
    c.set('subject', id);
    return { status: 202, headers: { Location: `/v1/batches/${id}` }, body: presentBatch(begun) };
  },
});

batches.route('GET', '/v1/batches/{id}', {
  id: 'batches.get',
  access: 'explanations:read',
  summary: 'Get the status of a batch and of its items',
  responses: { 200: json(batchSchema, 'The body is the batch in its present state') },
  handler: async ({ tenant, services, params: { id } }) => {
    const state = isId('bat', id) ? await services.batch(tenant, id).read() : null;
    if (!state) throw notFound();
    return { status: 200, body: presentBatch(state) };
  },
});

batches.route('POST', '/v1/batches/{id}/cancel', {
  id: 'batches.cancel',
  access: 'explanations:write',
  summary: 'Cancel the items of a batch that have not ended',
  responses: { 200: json(batchSchema, 'The body is the batch in its present state') },
  handler: async ({ tenant, services, params: { id } }) => {
    const state = isId('bat', id) ? await services.batch(tenant, id).cancel() : null;
    if (!state) throw notFound();
    return { status: 200, body: presentBatch(state) };
  },
});

/** Checks an item before the batch begins; an invalid one is refused alone. */
function itemOf(item: unknown, index: number): BatchItem {
  const parsed = explanationRequestSchema.safeParse(item);
  if (parsed.success) return { state: 'waiting', id: newId('exp'), asked: parsed.data };
  const { code, message, errors } = refusalOf(parsed.error, item);
  const placed = errors.map((error) => ({ ...error, pointer: `/items/${index}${error.pointer}` }));
  return { state: 'refused', error: { code, detail: message, retryable: false, errors: placed } };
}
