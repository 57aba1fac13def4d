import { createRoute } from '@hono/zod-openapi';
import { auditEventListSchema } from '@whylight/contract';
import { declined, json, routes, tenantRoute } from '../openapi.ts';
import { page, pageQuery } from '../paging.ts';

const list = createRoute({
  ...tenantRoute('admin:audit'),
  method: 'get',
  path: '/v1/audit_events',
  tags: ['audit'],
  summary: 'List who changed what, newest first',
  request: { query: pageQuery },
  responses: {
    200: json(auditEventListSchema, 'Changes, and requests refused because the key lacks a scope'),
    ...declined,
  },
});

export const audit = routes().openapi(list, async (c) => {
  const { caller, services } = c.var;
  const events = await page('evt', c.req.valid('query'), (limit, after) =>
    services.audit.list(caller.tenant, limit, after),
  );
  return c.json(events, 200);
});
