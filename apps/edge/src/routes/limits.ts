import { createRoute, z } from '@hono/zod-openapi';
import { type LimitsView, limitsRequestSchema, limitsSchema, usageListSchema } from '@whylight/contract';
import { type Meter, requestsLeft, requestWindow, secondsOfDay, unitsUsed } from '../domain/meter.ts';
import { notFound } from '../domain/refusal.ts';
import { isId } from '../domain/ulid.ts';
import { body, declined, json, operatorRoute, routes, tenantRoute } from '../openapi.ts';

const get = createRoute({
  ...tenantRoute('usage:read'),
  method: 'get',
  path: '/v1/limits',
  tags: ['usage'],
  summary: 'Get your limits, and what is left of them',
  responses: { 200: json(limitsSchema, 'The limits'), ...declined },
});

const usage = createRoute({
  ...tenantRoute('usage:read'),
  method: 'get',
  path: '/v1/usage',
  tags: ['usage'],
  summary: 'List your usage by day, newest first',
  responses: { 200: json(usageListSchema, 'The days with usage'), ...declined },
});

const set = createRoute({
  ...operatorRoute,
  method: 'put',
  path: '/v1/operator/tenants/{id}/limits',
  summary: 'Set limits of a tenant; limits that the body omits stay',
  request: { params: z.object({ id: z.string() }), ...body(limitsRequestSchema) },
  responses: { 200: json(limitsSchema, 'The limits from now on'), ...declined },
});

export const limits = routes()
  .openapi(get, async (c) => {
    const { caller, services } = c.var;
    return c.json(present(await services.meter(caller.tenant).read(), Date.now()), 200);
  })
  .openapi(usage, async (c) => {
    const { caller, services } = c.var;
    const days = await services.meter(caller.tenant).usage();
    const data = days.map((day) => ({ object: 'usage' as const, ...day }));
    return c.json({ object: 'list' as const, data, has_more: false, next_cursor: null }, 200);
  })
  .openapi(set, async (c) => {
    const { tenants, meter } = c.var.services;
    const { id } = c.req.valid('param');
    if (!isId('ten', id) || !(await tenants.exists(id))) throw notFound();
    c.set('tenant', id);
    const wanted = c.req.valid('json');
    const { limits: now } = await meter(id).read();
    const next = {
      requests: wanted.requests ?? now.requests,
      concurrency: wanted.concurrency ?? now.concurrency,
      compute_units: wanted.compute_units ?? now.compute_units,
      batches: wanted.batches ?? now.batches,
    };
    return c.json(present(await meter(id).limit(next), Date.now()), 200);
  });

function present(meter: Meter, now: number): LimitsView {
  const { limits } = meter;
  return {
    object: 'limits',
    requests: { limit: limits.requests, window_seconds: requestWindow, ...requestsLeft(meter, now) },
    concurrency: { limit: limits.concurrency, in_use: Object.keys(meter.open).length },
    compute_units: {
      limit: limits.compute_units,
      window_seconds: 86_400,
      remaining: Math.max(0, limits.compute_units - unitsUsed(meter)),
      resets_in_seconds: secondsOfDay(now),
    },
    batches: { limit: limits.batches, in_use: Object.keys(meter.batches).length },
  };
}
