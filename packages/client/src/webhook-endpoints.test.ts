import { expect, it } from 'vitest';
import { inTurn, json, problem, serviceDouble } from './testing/service-double.ts';

const double = serviceDouble();

const endpoint = {
  id: 'whk_1',
  object: 'webhook_endpoint',
  url: 'https://example.com/hook',
  status: 'enabled',
  disabled_reason: null,
  previous_secret_until: null,
  created_at: '2026-11-23T00:00:00Z',
};
const delivery = {
  id: 'evt_1',
  object: 'webhook_delivery',
  type: 'explanation.succeeded',
  status: 'failed',
  created_at: '2026-11-23T00:00:00Z',
  next_attempt_at: null,
  attempts: [{ at: '2026-11-23T00:00:01Z', status: 500, error: null }],
};
const list = (item: object) => ({ object: 'list', data: [item], has_more: false, next_cursor: null });
const path = '/v1/webhook_endpoints';

it('an endpoint is made once, with its secret', async () => {
  double.routes[`POST ${path}`] = inTurn({ ...endpoint, secret: 'whsec_a' });
  const { webhookEndpoints } = double.client();
  expect((await webhookEndpoints.create(endpoint.url)).secret).toBe('whsec_a');
  expect(JSON.parse(double.seen[0]!.body)).toEqual({ url: endpoint.url });
  double.routes[`POST ${path}`] = (_, response) => json(response, 500, problem(500, 'internal'));
  await expect(webhookEndpoints.create(endpoint.url)).rejects.toMatchObject({ status: 500 });
  expect(double.seen).toHaveLength(2);
});

it('endpoints are listed, changed, given a new secret, and deleted', async () => {
  const { webhookEndpoints } = double.client();
  double.routes[`GET ${path}?limit=100`] = inTurn(list(endpoint));
  expect((await webhookEndpoints.list().next()).value).toEqual(endpoint);
  double.routes[`PATCH ${path}/whk_1`] = inTurn({ ...endpoint, status: 'disabled' });
  expect((await webhookEndpoints.change('whk_1', { status: 'disabled' })).status).toBe('disabled');
  double.routes[`POST ${path}/whk_1/rotate_secret`] = inTurn(
    ...['b', 'c'].map((name) => ({ ...endpoint, secret: `whsec_${name}` })),
  );
  expect((await webhookEndpoints.rotateSecret('whk_1', 60)).secret).toBe('whsec_b');
  await webhookEndpoints.rotateSecret('whk_1');
  expect(double.seen.slice(-2).map(({ body }) => JSON.parse(body))).toEqual([{ grace_seconds: 60 }, {}]);
  double.routes[`DELETE ${path}/whk_1`] = (_, response) => response.writeHead(204).end();
  await webhookEndpoints.remove('whk_1');
  await expect(webhookEndpoints.get('whk_1')).rejects.toMatchObject({ status: 404 });
});

it('what was sent is seen, and sent again', async () => {
  const { webhookEndpoints } = double.client();
  double.routes[`GET ${path}/whk_1/deliveries?limit=100`] = inTurn(list(delivery));
  expect((await webhookEndpoints.deliveries('whk_1').next()).value).toEqual(delivery);
  double.routes[`POST ${path}/whk_1/deliveries/evt_1/redeliver`] = (_, response) =>
    json(response, 202, { ...delivery, status: 'pending' });
  expect((await webhookEndpoints.redeliver('whk_1', 'evt_1')).status).toBe('pending');
});
