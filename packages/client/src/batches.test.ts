import { explanationStatuses } from '@whylight/contract';
import { expect, it } from 'vitest';
import { inTurn, json, problem, serviceDouble } from './testing/service-double.ts';

const double = serviceDouble();

const batch = (status: string) => ({
  id: 'bat_1',
  object: 'batch',
  status,
  created_at: '2026-11-23T00:00:00Z',
  counts: {
    ...{ total: 1, waiting: 0, refused: 0 },
    ...Object.fromEntries(explanationStatuses.map((name) => [name, name === 'succeeded' ? 1 : 0])),
  },
  items: [{ index: 0, status: 'succeeded', explanation: 'exp_1', error: null }],
  urls: { self: '/v1/batches/bat_1', cancel: '/v1/batches/bat_1/cancel' },
  request_id: 'req_1',
});
const items = [{ input: { upload: 'upl_1' }, method: 'grad-cam' }];

it('a batch is asked for once, however often it is tried, and waited for by looking', async () => {
  const keys: unknown[] = [];
  const answers = [503, 202];
  double.routes['POST /v1/batches'] = (request, response) => {
    keys.push(request.headers['idempotency-key']);
    const status = answers.shift()!;
    json(response, status, status === 503 ? problem(503, 'x') : batch('processing'));
  };
  double.routes['GET /v1/batches/bat_1'] = inTurn(batch('completed'));
  const { batches } = double.client();
  const ended = await batches.ended(await batches.create(items));
  expect([ended.status, ended.items[0]!.explanation]).toEqual(['completed', 'exp_1']);
  expect(keys).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/), keys[0]]);
  expect(JSON.parse(double.seen[0]!.body)).toEqual({ items });
});

it('a batch is given up on demand', async () => {
  double.routes['POST /v1/batches/bat_1/cancel'] = inTurn(batch('canceled'));
  expect((await double.client().batches.cancel('bat_1')).status).toBe('canceled');
});
