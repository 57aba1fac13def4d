import { createRoute, z } from '@hono/zod-openapi';
import {
  keyRequestSchema,
  newKeySchema,
  scopes,
  type TenantView,
  tenantListSchema,
  tenantRequestSchema,
  tenantSchema,
  tenantViewSchema,
} from '@whylight/contract';
import type { Context } from 'hono';
import type { AppEnv } from '../app-env.ts';
import { notFound } from '../domain/refusal.ts';
import { isId } from '../domain/ulid.ts';
import { body, declined, json, operatorAction, operatorRoute, routes } from '../openapi.ts';
import { page, pageQuery } from '../paging.ts';

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
  summary: 'Create a key for a tenant that has lost its keys',
  request: { params: z.object({ id: z.string() }), ...body(keyRequestSchema) },
  responses: { 201: json(newKeySchema, 'The key, shown this once'), ...declined },
});

const listTenants = createRoute({
  ...operatorRoute,
  method: 'get',
  path: '/v1/operator/tenants',
  summary: 'List tenants, newest first',
  request: { query: pageQuery },
  responses: { 200: json(tenantListSchema, 'A page of tenants'), ...declined },
});

const suspensionRoute = (verb: 'suspend' | 'resume', summary: string) =>
  createRoute({
    ...operatorAction,
    method: 'post',
    path: `/v1/operator/tenants/{id}/${verb}`,
    summary,
    request: { params: z.object({ id: z.string() }) },
    responses: { 200: json(tenantViewSchema, 'The tenant from now on'), ...declined },
  });
const suspend = suspensionRoute(
  'suspend',
  'Suspend a tenant: refuse its requests, and finish what is under way',
);
const resume = suspensionRoute('resume', 'Resume a suspended tenant');

async function setSuspended(c: Context<AppEnv>, id: string, suspended: boolean): Promise<TenantView> {
  const tenant = isId('ten', id) ? await c.var.services.tenants.suspend(id, suspended) : null;
  if (!tenant) throw notFound();
  c.set('tenant', id);
  c.set('subject', id);
  return tenant;
}

export const operator = routes()
  .openapi(listTenants, async (c) => {
    const { tenants } = c.var.services;
    return c.json(await page('ten', c.req.valid('query'), (limit, after) => tenants.list(limit, after)), 200);
  })
  .openapi(suspend, async (c) => c.json(await setSuspended(c, c.req.valid('param').id, true), 200))
  .openapi(resume, async (c) => c.json(await setSuspended(c, c.req.valid('param').id, false), 200))
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
