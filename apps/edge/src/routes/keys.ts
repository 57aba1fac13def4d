import { createRoute, z } from '@hono/zod-openapi';
import { keyListSchema, keyRequestSchema, newKeySchema, rotationRequestSchema } from '@whylight/contract';
import { grant } from '../domain/grant.ts';
import { notFound } from '../domain/refusal.ts';
import { isId } from '../domain/ulid.ts';
import { body, declined, json, routes, tenantRoute } from '../openapi.ts';
import { page, pageQuery } from '../paging.ts';
import { rotateKey } from '../use-cases/rotation.ts';

const tags = ['keys'];

const create = createRoute({
  ...tenantRoute('admin:keys'),
  method: 'post',
  path: '/v1/keys',
  tags,
  summary: 'Create a key with at most the scopes of yours',
  request: body(keyRequestSchema),
  responses: { 201: json(newKeySchema, 'The key, shown this once'), ...declined },
});

const list = createRoute({
  ...tenantRoute('admin:keys'),
  method: 'get',
  path: '/v1/keys',
  tags,
  summary: 'List keys, newest first',
  request: { query: pageQuery },
  responses: { 200: json(keyListSchema, 'Keys without their secrets'), ...declined },
});

const revoke = createRoute({
  ...tenantRoute('admin:keys'),
  method: 'delete',
  path: '/v1/keys/{id}',
  tags,
  summary: 'Revoke a key immediately',
  request: { params: z.object({ id: z.string() }) },
  responses: { 204: { description: 'Revoked' }, ...declined },
});

const rotate = createRoute({
  ...tenantRoute('admin:keys'),
  method: 'post',
  path: '/v1/keys/{id}/rotate',
  tags,
  summary: 'Replace a key by a new one with the same scopes and expiry',
  request: { params: z.object({ id: z.string() }), ...body(rotationRequestSchema) },
  responses: { 201: json(newKeySchema, 'The new key, shown this once'), ...declined },
});

export const keys = routes()
  .openapi(create, async (c) => {
    const { caller, services } = c.var;
    const { key, text } = await services.tenants.createKey(caller.tenant, grant(caller, c.req.valid('json')));
    c.set('subject', key.id);
    return c.json({ ...key, secret: text }, 201);
  })
  .openapi(rotate, async (c) => {
    const { caller, services } = c.var;
    const grace = c.req.valid('json').grace_seconds;
    const { key, text } = await rotateKey(services.tenants, caller, c.req.valid('param').id, grace);
    return c.json({ ...key, secret: text }, 201);
  })
  .openapi(list, async (c) => {
    const { caller, services } = c.var;
    return c.json(
      await page('key', c.req.valid('query'), (limit, after) =>
        services.tenants.keys(caller.tenant, limit, after),
      ),
      200,
    );
  })
  .openapi(revoke, async (c) => {
    const { caller, services } = c.var;
    const { id } = c.req.valid('param');
    if (!isId('key', id) || !(await services.tenants.revoke(caller.tenant, id))) throw notFound();
    return c.body(null, 204);
  });
