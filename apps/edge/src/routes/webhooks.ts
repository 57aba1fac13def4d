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
import { answerPage, paged } from '../http/paging.ts';
import { deleted, json } from '../http/responses.ts';
import { routes } from '../http/route.ts';
import type { Services } from '../services.ts';
import type { EndpointRow } from '../storage/webhook-endpoints.ts';

const access = 'admin:webhooks';
/** Most endpoints of one tenant. */
const mostEndpoints = 20;

export const webhooks = routes('webhooks');

webhooks.route('POST', '/v1/webhook_endpoints', {
  id: 'webhookEndpoints.create',
  access,
  summary: 'Create a webhook endpoint, to which the service sends an event when an explanation ends',
  body: webhookEndpointRequestSchema,
  responses: { 201: json(newWebhookEndpointSchema, 'Only this answer shows the endpoint’s secret') },
  handler: async ({ tenant, services, body }, c) => {
    const url = checkUrl(services, body.url);
    const master = masterOf(services);
    const row = await services.webhooks.create(tenant, url, mostEndpoints);
    if (!row)
      throw new Refusal(
        'invalid_parameter',
        `A tenant has at most ${mostEndpoints} endpoints. Delete one first.`,
      );
    c.set('subject', row.id);
    return { status: 201, body: { ...present(row), secret: await secretOf(master, row) } };
  },
});

webhooks.route('GET', '/v1/webhook_endpoints', {
  id: 'webhookEndpoints.list',
  access,
  summary: 'List webhook endpoints, newest first',
  ...paged('whk', webhookEndpointListSchema, 'The body is a page of endpoints'),
  handler: ({ tenant, services, query }) =>
    answerPage('whk', query, (limit, after) => services.webhooks.list(tenant, limit, after), present),
});

webhooks.route('GET', '/v1/webhook_endpoints/{id}', {
  id: 'webhookEndpoints.get',
  access,
  summary: 'Get a webhook endpoint, and why it was disabled',
  responses: { 200: json(webhookEndpointSchema, 'The body is the endpoint') },
  handler: async ({ tenant, services, params }) => ({
    status: 200,
    body: present(await find(services, tenant, params.id)),
  }),
});

webhooks.route('PATCH', '/v1/webhook_endpoints/{id}', {
  id: 'webhookEndpoints.update',
  access,
  summary: 'Change the URL of a webhook endpoint, disable it, or enable it again',
  body: webhookEndpointChangeSchema,
  responses: { 200: json(webhookEndpointSchema, 'The body is the changed endpoint') },
  handler: async ({ tenant, services, params, body: { url, status } }) => {
    const row = await find(services, tenant, params.id);
    await services.webhooks.change(row, {
      ...(url === undefined ? {} : { url: checkUrl(services, url) }),
      ...(status === undefined ? {} : { status }),
    });
    return { status: 200, body: present(await find(services, tenant, row.id)) };
  },
});

webhooks.route('DELETE', '/v1/webhook_endpoints/{id}', {
  id: 'webhookEndpoints.delete',
  access,
  summary: 'Delete a webhook endpoint and its deliveries',
  responses: deleted,
  handler: async ({ tenant, services, params }) => {
    const { id } = await find(services, tenant, params.id);
    await services.webhooks.delete(tenant, id);
    await services.webhookDeliveries(id).forget();
    return { status: 204 };
  },
});

webhooks.route('POST', '/v1/webhook_endpoints/{id}/rotate_secret', {
  id: 'webhookEndpoints.rotateSecret',
  access,
  summary: 'Create a new secret for a webhook endpoint; until the grace period ends, the old one signs too',
  body: secretRotationRequestSchema,
  responses: { 200: json(newWebhookEndpointSchema, 'Only this answer shows the endpoint’s secret') },
  handler: async ({ tenant, services, params, body }) => {
    const row = await find(services, tenant, params.id);
    await services.webhooks.rotate(row, new Date(Date.now() + body.grace_seconds * 1000).toISOString());
    const next = await find(services, tenant, row.id);
    return { status: 200, body: { ...present(next), secret: await secretOf(masterOf(services), next) } };
  },
});

webhooks.route('GET', '/v1/webhook_endpoints/{id}/deliveries', {
  id: 'webhookDeliveries.list',
  access,
  summary: 'List the deliveries to an endpoint and their attempts, newest first',
  ...paged('evt', webhookDeliveryListSchema, 'The body is a page of deliveries'),
  handler: async ({ tenant, services, params, query }) => {
    const { id } = await find(services, tenant, params.id);
    const deliveries = services.webhookDeliveries(id);
    return answerPage('evt', query, (limit, after) => deliveries.list(limit, after), presentDelivery);
  },
});

webhooks.route('POST', '/v1/webhook_endpoints/{id}/deliveries/{delivery}/redeliver', {
  id: 'webhookDeliveries.redeliver',
  access,
  summary: 'Send the event of a delivery again, under the same id',
  responses: { 202: json(webhookDeliverySchema, 'The service sends the event again') },
  handler: async ({ tenant, services, params: { id, delivery } }) => {
    const endpoint = await find(services, tenant, id);
    const sent = isId('evt', delivery)
      ? await services.webhookDeliveries(endpoint.id).redeliver(delivery)
      : null;
    if (!sent) throw notFound();
    return { status: 202, body: presentDelivery(sent) };
  },
});

async function find({ webhooks: endpoints }: Services, tenant: string, id: string): Promise<EndpointRow> {
  const row = isId('whk', id) ? await endpoints.find(tenant, id) : null;
  if (!row) throw notFound();
  return row;
}

const checkUrl = ({ settings }: Services, url: string): string =>
  webhookUrl(url, settings.WEBHOOKS_ALLOW_LOOPBACK).href;

/** @throws Refusal `not_configured` if the operator has not set up webhooks. */
function masterOf({ settings }: Services): string {
  if (settings.WEBHOOK_SECRET !== undefined) return settings.WEBHOOK_SECRET;
  throw new Refusal(
    'not_configured',
    'This service sends no webhooks, because its operator has not set WEBHOOK_SECRET.',
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
