import { createRoute, z } from '@hono/zod-openapi';
import {
  newWebhookEndpointSchema,
  secretRotationRequestSchema,
  type WebhookEndpoint,
  webhookDeliveryListSchema,
  webhookDeliverySchema,
  webhookEndpointChangeSchema,
  webhookEndpointListSchema,
  webhookEndpointRequestSchema,
  webhookEndpointSchema,
} from '@whylight/contract';
import { notFound, Refusal } from '../domain/refusal.ts';
import { isId } from '../domain/ulid.ts';
import { presentDelivery } from '../domain/webhook-delivery.ts';
import { secretOf } from '../domain/webhook-secret.ts';
import { webhookUrl } from '../domain/webhook-url.ts';
import { body, declined, json, routes, tenantAction, tenantRoute } from '../openapi.ts';
import { page, pageQuery } from '../paging.ts';
import type { Services } from '../services.ts';
import type { EndpointRow } from '../storage/webhook-endpoints.ts';

const tags = ['webhooks'];
const scope = 'admin:webhooks';
const params = z.object({ id: z.string() });
const path = '/v1/webhook_endpoints';
/** Most endpoints of one tenant. */
const mostEndpoints = 20;

const create = createRoute({
  ...tenantRoute(scope),
  ...{ method: 'post', path, tags },
  summary: 'Create a webhook endpoint, to which the service sends an event when an explanation ends',
  request: body(webhookEndpointRequestSchema),
  responses: {
    201: json(newWebhookEndpointSchema, 'The endpoint; its secret is shown this once'),
    ...declined,
  },
});

const list = createRoute({
  ...tenantRoute(scope),
  ...{ method: 'get', path, tags },
  summary: 'List webhook endpoints, newest first',
  request: { query: pageQuery },
  responses: { 200: json(webhookEndpointListSchema, 'A page of endpoints'), ...declined },
});

const get = createRoute({
  ...tenantRoute(scope),
  ...{ method: 'get', path: `${path}/{id}`, tags },
  summary: 'Get a webhook endpoint, and why it was disabled',
  request: { params },
  responses: { 200: json(webhookEndpointSchema, 'The endpoint'), ...declined },
});

const change = createRoute({
  ...tenantRoute(scope),
  ...{ method: 'patch', path: `${path}/{id}`, tags },
  summary: 'Change the URL of a webhook endpoint, disable it, or enable it again',
  request: { params, ...body(webhookEndpointChangeSchema) },
  responses: { 200: json(webhookEndpointSchema, 'The changed endpoint'), ...declined },
});

const remove = createRoute({
  ...tenantAction(scope),
  ...{ method: 'delete', path: `${path}/{id}`, tags },
  summary: 'Delete a webhook endpoint and its deliveries',
  request: { params },
  responses: { 204: { description: 'Deleted' }, ...declined },
});

const rotate = createRoute({
  ...tenantRoute(scope),
  ...{ method: 'post', path: `${path}/{id}/rotate_secret`, tags },
  summary: 'Create a new secret; until the grace period ends, the old one signs too',
  request: { params, ...body(secretRotationRequestSchema) },
  responses: {
    200: json(newWebhookEndpointSchema, 'The endpoint; its secret is shown this once'),
    ...declined,
  },
});

const deliveries = createRoute({
  ...tenantRoute(scope),
  ...{ method: 'get', path: `${path}/{id}/deliveries`, tags },
  summary: 'List the deliveries to an endpoint and their attempts, newest first',
  request: { params, query: pageQuery },
  responses: { 200: json(webhookDeliveryListSchema, 'A page of deliveries'), ...declined },
});

const redeliver = createRoute({
  ...tenantAction(scope),
  ...{ method: 'post', path: `${path}/{id}/deliveries/{delivery}/redeliver`, tags },
  summary: 'Send an event again, under the same id',
  request: { params: params.extend({ delivery: z.string() }) },
  responses: { 202: json(webhookDeliverySchema, 'The service sends the event again'), ...declined },
});

export const webhooks = routes()
  .openapi(create, async (c) => {
    const { caller, services } = c.var;
    const url = checkUrl(services, c.req.valid('json').url);
    const master = masterOf(services);
    const row = await services.webhooks.create(caller.tenant, url, mostEndpoints);
    if (!row) throw new Refusal('invalid_parameter', `A tenant has at most ${mostEndpoints} endpoints.`);
    c.set('subject', row.id);
    return c.json({ ...present(row), secret: await secretOf(master, row) }, 201);
  })
  .openapi(list, async (c) => {
    const { caller, services } = c.var;
    const { data, ...rest } = await page('whk', c.req.valid('query'), (limit, after) =>
      services.webhooks.list(caller.tenant, limit, after),
    );
    return c.json({ ...rest, data: data.map(present) }, 200);
  })
  .openapi(get, async (c) => {
    const { caller, services } = c.var;
    return c.json(present(await find(services, caller.tenant, c.req.valid('param').id)), 200);
  })
  .openapi(change, async (c) => {
    const { caller, services } = c.var;
    const row = await find(services, caller.tenant, c.req.valid('param').id);
    const { url, status } = c.req.valid('json');
    await services.webhooks.change(row, {
      ...(url === undefined ? {} : { url: checkUrl(services, url) }),
      ...(status === undefined ? {} : { status }),
    });
    return c.json(present(await find(services, caller.tenant, row.id)), 200);
  })
  .openapi(remove, async (c) => {
    const { caller, services } = c.var;
    const { id } = await find(services, caller.tenant, c.req.valid('param').id);
    await services.webhooks.delete(caller.tenant, id);
    await services.webhookDeliveries(id).forget();
    return c.body(null, 204);
  })
  .openapi(rotate, async (c) => {
    const { caller, services } = c.var;
    const row = await find(services, caller.tenant, c.req.valid('param').id);
    const grace = c.req.valid('json').grace_seconds;
    await services.webhooks.rotate(row, new Date(Date.now() + grace * 1000).toISOString());
    const next = await find(services, caller.tenant, row.id);
    return c.json({ ...present(next), secret: await secretOf(masterOf(services), next) }, 200);
  })
  .openapi(deliveries, async (c) => {
    const { caller, services } = c.var;
    const { id } = await find(services, caller.tenant, c.req.valid('param').id);
    const { data, ...rest } = await page('evt', c.req.valid('query'), (limit, after) =>
      services.webhookDeliveries(id).list(limit, after),
    );
    return c.json({ ...rest, data: data.map(presentDelivery) }, 200);
  })
  .openapi(redeliver, async (c) => {
    const { caller, services } = c.var;
    const { id, delivery } = c.req.valid('param');
    const endpoint = await find(services, caller.tenant, id);
    const sent = isId('evt', delivery)
      ? await services.webhookDeliveries(endpoint.id).redeliver(delivery)
      : null;
    if (!sent) throw notFound();
    return c.json(presentDelivery(sent), 202);
  });

async function find({ webhooks: endpoints }: Services, tenant: string, id: string): Promise<EndpointRow> {
  const row = isId('whk', id) ? await endpoints.find(tenant, id) : null;
  if (!row) throw notFound();
  return row;
}

const checkUrl = ({ settings }: Services, url: string): string =>
  webhookUrl(url, settings.WEBHOOKS_ALLOW_LOOPBACK).href;

/** @throws Refusal `not_configured` where the operator has not set up webhooks. */
function masterOf({ settings }: Services): string {
  if (settings.WEBHOOK_SECRET !== undefined) return settings.WEBHOOK_SECRET;
  throw new Refusal(
    'not_configured',
    'This service has no webhooks: its operator has not set WEBHOOK_SECRET.',
  );
}

const present = (row: EndpointRow): WebhookEndpoint => ({
  id: row.id,
  object: 'webhook_endpoint',
  url: row.url,
  status: row.status,
  disabled_reason: row.disabled_reason,
  previous_secret_until: row.previous_until,
  created_at: row.created_at,
});
