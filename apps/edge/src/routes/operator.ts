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
import { checkFuture } from '../domain/grant.ts';
import { notFound } from '../domain/refusal.ts';
import { isId } from '../domain/ulid.ts';
import { answerPage, paged } from '../http/paging.ts';
import { json } from '../http/responses.ts';
import { routes } from '../http/route.ts';

export const operator = routes('operator');

operator.route('GET', '/v1/operator/tenants', {
  id: 'tenants.list',
  access: 'operator',
  summary: 'List tenants, newest first',
  ...paged('ten', tenantListSchema, 'The body is a page of tenants'),
  handler: ({ services, query }) =>
    answerPage('ten', query, (limit, after) => services.tenants.list(limit, after)),
});

operator.route('POST', '/v1/operator/tenants/{id}/suspend', {
  id: 'tenants.suspend',
  access: 'operator',
  summary: 'Suspend a tenant; the service refuses its requests, and finishes what is under way',
  responses: { 200: json(tenantViewSchema, 'The body is the changed tenant') },
  handler: async ({ params }, c) => ({ status: 200, body: await setSuspended(c, params.id, true) }),
});

operator.route('POST', '/v1/operator/tenants/{id}/resume', {
  id: 'tenants.resume',
  access: 'operator',
  summary: 'Resume a suspended tenant',
  responses: { 200: json(tenantViewSchema, 'The body is the changed tenant') },
  handler: async ({ params }, c) => ({ status: 200, body: await setSuspended(c, params.id, false) }),
});

async function setSuspended(c: Context<AppEnv>, id: string, suspended: boolean): Promise<TenantView> {
  const tenant = isId('ten', id) ? await c.var.services.tenants.suspend(id, suspended) : null;
  if (!tenant) throw notFound();
  c.set('tenant', id);
  c.set('subject', id);
  return tenant;
}

operator.route('POST', '/v1/operator/tenants', {
  id: 'tenants.create',
  access: 'operator',
  summary: 'Create a tenant and its first key',
  body: tenantRequestSchema,
  responses: { 201: json(tenantSchema, 'Only this answer shows the secret of the tenant’s key') },
  handler: async ({ services: { tenants }, body }, c) => {
    const tenant = await tenants.create(body.name);
    c.set('tenant', tenant.id);
    c.set('subject', tenant.id);
    const { key, text } = await tenants.createKey(tenant.id, { name: 'first', scopes, expiresAt: null });
    return { status: 201, body: { ...tenant, object: 'tenant' as const, key: { ...key, secret: text } } };
  },
});

operator.route('POST', '/v1/operator/tenants/{id}/keys', {
  id: 'tenants.createKey',
  access: 'operator',
  summary: 'Create a key for a tenant that has lost its keys',
  body: keyRequestSchema,
  responses: { 201: json(newKeySchema, 'Only this answer shows the secret of the key') },
  handler: async ({ services: { tenants }, params: { id }, body }, c) => {
    if (!isId('ten', id) || !(await tenants.exists(id))) throw notFound();
    checkFuture(body.expires_at);
    c.set('tenant', id);
    const { key, text } = await tenants.createKey(id, {
      name: body.name ?? null,
      scopes: body.scopes ?? scopes,
      expiresAt: body.expires_at === undefined ? null : new Date(body.expires_at).toISOString(),
    });
    c.set('subject', key.id);
    return { status: 201, body: { ...key, secret: text } };
  },
});
