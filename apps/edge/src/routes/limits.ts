import { type LimitsView, limitsRequestSchema, limitsSchema, usageListSchema } from '@whylight/contract';
import { type Meter, requestsLeft, requestWindow, secondsOfDay, unitsUsed } from '../domain/meter.ts';
import { notFound } from '../domain/refusal.ts';
import { isId } from '../domain/ulid.ts';
import { answerAll } from '../http/paging.ts';
import { json } from '../http/responses.ts';
import { routes } from '../http/route.ts';

export const limits = routes('usage');

limits.route('GET', '/v1/limits', {
  id: 'limits.get',
  access: 'usage:read',
  summary: 'Get your limits, and how much of each is left',
  responses: { 200: json(limitsSchema, 'The body has the limits') },
  handler: async ({ tenant, services }) => {
    const meter = await services.meter(tenant).read();
    return { status: 200, body: present(meter, Date.now()) };
  },
});

limits.route('GET', '/v1/usage', {
  id: 'usage.list',
  access: 'usage:read',
  summary: 'List your usage by day, newest first',
  responses: { 200: json(usageListSchema, 'The body lists the days with usage') },
  handler: async ({ tenant, services }) => {
    const days = await services.meter(tenant).usage();
    return answerAll(days.map((day) => ({ object: 'usage', ...day })));
  },
});

limits.route('PUT', '/v1/operator/tenants/{id}/limits', {
  id: 'tenants.setLimits',
  access: 'operator',
  summary: 'Set limits of a tenant; those that the body omits stay as they are',
  body: limitsRequestSchema,
  responses: { 200: json(limitsSchema, 'The body has the limits that hold from now on') },
  handler: async ({ services, params: { id }, body }, c) => {
    if (!isId('ten', id) || !(await services.tenants.exists(id))) throw notFound();
    c.set('tenant', id);
    const meter = services.meter(id);
    const { limits: now } = await meter.read();
    const next = {
      requests: body.requests ?? now.requests,
      concurrency: body.concurrency ?? now.concurrency,
      compute_units: body.compute_units ?? now.compute_units,
      batches: body.batches ?? now.batches,
    };
    return { status: 200, body: present(await meter.limit(next), Date.now()) };
  },
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
