import { createRoute, z } from '@hono/zod-openapi';
import {
  keyRequestSchema,
  newKeySchema,
  scopes,
  tenantRequestSchema,
  tenantSchema,
} from '@whylight/contract';
import { notFound } from '../domain/refusal.ts';
import { isId } from '../domain/ulid.ts';
import { body, declined, json, operatorRoute, routes } from '../openapi.ts';

const createTenant = createRoute({
  ...operatorRoute,
  method: 'post',
  path: '/v1/operator/tenants',
  summary: 'Create a tenant and its first key',
  request: body(tenantRequestSchema),
  responses: { 201: json(tenantSchema, 'The tenant; its key is shown this once'), ...declined },
});

const createKey = createRoute({
  ...operatorRoute,
  method: 'post',
  path: '/v1/operator/tenants/{id}/keys',
  summary: 'Create a key for a tenant that has lost its own',
  request: { params: z.object({ id: z.string() }), ...body(keyRequestSchema) },
  responses: { 201: json(newKeySchema, 'The key, shown this once'), ...declined },
});

export const operator = routes()
  .openapi(createTenant, async (c) => {
    const { tenants } = c.var.services;
    const tenant = await tenants.create(c.req.valid('json').name);
    c.set('tenant', tenant.id);
    c.set('subject', tenant.id);
    const { key, text } = await tenants.createKey(tenant.id, { name: 'first', scopes, expiresAt: null });
    return c.json({ ...tenant, object: 'tenant' as const, key: { ...key, secret: text } }, 201);
  })
  .openapi(createKey, async (c) => {
    const { tenants } = c.var.services;
    const { id } = c.req.valid('param');
    if (!isId('ten', id) || !(await tenants.exists(id))) throw notFound();
    c.set('tenant', id);
    const asked = c.req.valid('json');
    const { key, text } = await tenants.createKey(id, {
      name: asked.name ?? null,
      scopes: asked.scopes ?? scopes,
      expiresAt: asked.expires_at ?? null,
    });
    c.set('subject', key.id);
    return c.json({ ...key, secret: text }, 201);
  });
