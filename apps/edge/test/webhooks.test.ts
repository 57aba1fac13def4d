import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import type { Explanation, WebhookDelivery } from '@whylight/contract';
import { describe, expect, test, vi } from 'vitest';
import { app } from '../src/app.ts';
import { leaseTime } from '../src/domain/run.ts';
import { endEvent } from '../src/domain/webhook-event.ts';
import {
  at,
  bindings,
  cacheKeyOf,
  call,
  explain,
  jobsTaken,
  newTenant,
  report,
  success,
  uploaded,
  workerAnswers,
} from './gateway.ts';
import type { Received } from './outside/receiver-double.ts';

const receiver = (bindings as unknown as { RECEIVER_URL: string }).RECEIVER_URL;
const behave = (name: string, how: string) =>
  fetch(`${receiver}/behave/${name}`, { method: 'PUT', body: how });
const seen = async (name: string): Promise<Received[]> => (await fetch(`${receiver}/seen/${name}`)).json();
const error = { code: 'non_finite_output', message: 'NaN.', retryable: false };
const path = '/v1/webhook_endpoints';

/** A tenant with an endpoint at the receiver, under a name of its own. */
async function hooked(how = '204') {
  const { id, key } = await newTenant();
  const name = id.slice(4);
  await behave(name, how);
  const made = await call('POST', path, { key, body: { url: `${receiver}/hook/${name}` } });
  expect(made.status).toBe(201);
  const webhook = made.body.id as string;
  const upload = (await uploaded(key)).id;
  const ask = async (body = {}, headers = {}): Promise<Explanation> =>
    (await explain(key, { input: { upload }, webhook, ...body }, headers)).body;
  const deliveries = async (): Promise<WebhookDelivery[]> =>
    (await call('GET', `${path}/${webhook}/deliveries`, { key })).body.data;
  const arrived = (count = 1) =>
    vi.waitFor(
      async () => {
        const all = await seen(name);
        expect(all.length).toBeGreaterThanOrEqual(count);
        return all;
      },
      { timeout: 10_000, interval: 25 },
    );
  /** The delivery once it stands so. */
  const settled = (status: WebhookDelivery['status'], attempts = 1) =>
    vi.waitFor(
      async () => {
        const [delivery] = await deliveries();
        expect(delivery).toMatchObject({ status });
        expect(delivery!.attempts).toHaveLength(attempts);
        return delivery!;
      },
      { timeout: 30_000, interval: 50 },
    );
  const webhookDeliveries = bindings.WEBHOOK_DELIVERIES.getByName(webhook);
  return {
    key,
    name,
    webhook,
    secret: made.body.secret as string,
    ask,
    deliveries,
    arrived,
    settled,
    webhookDeliveries,
  };
}

/** Ends the explanation as the worker would. */
async function end(made: Explanation, how: object | null = null): Promise<void> {
  const [job] = await jobsTaken(cacheKeyOf(made));
  expect((await report(job!, how ?? success(job!))).status).toBe(204);
}

/** Whether one of the signatures is right, straight from the specification of Standard Webhooks. */
async function verified({ headers, body }: Received, secret: string): Promise<boolean> {
  const key = Uint8Array.from(atob(secret.slice('whsec_'.length)), (char) => char.charCodeAt(0));
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const imported = await crypto.subtle.importKey('raw', key, algorithm, false, ['sign']);
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  const mac = new Uint8Array(await crypto.subtle.sign('HMAC', imported, new TextEncoder().encode(signed)));
  const expected = `v1,${btoa(String.fromCharCode(...mac))}`;
  return headers['webhook-signature']!.split(' ').includes(expected);
}

describe('webhooks', () => {
  test('G6: a tenant has twenty endpoints, however many it asks for at once', async () => {
    const { key } = await newTenant();
    const body = { url: 'https://hooks.example.com/' };
    const asked = Array.from({ length: 25 }, () => call('POST', '/v1/webhook_endpoints', { key, body }));
    const statuses = (await Promise.all(asked)).map(({ status }) => status);
    expect(statuses.toSorted()).toEqual([...Array(20).fill(201), ...Array(5).fill(400)]);
  });

  test('I3, I4: say how an explanation has ended, signed, small, and without anything that opens something', async () => {
    const { key, ask, arrived, secret, settled } = await hooked();
    const made = await ask();
    await end(made);
    const [received] = await arrived();
    const event = JSON.parse(received!.body);
    expect(event).toMatchObject({
      type: 'explanation.succeeded',
      data: { id: made.id, object: 'explanation', status: 'succeeded', error: null, url: made.urls.self },
    });
    expect(received!.headers['content-type']).toBe('application/json');
    expect(await verified(received!, secret)).toBe(true);
    expect(await verified({ ...received!, body: `${received!.body} ` }, secret)).toBe(false);
    expect(Math.abs(Date.now() / 1000 - Number(received!.headers['webhook-timestamp']))).toBeLessThan(60);
    expect(received!.body.length).toBeLessThan(20_000);
    expect(received!.body).not.toMatch(/X-Amz|whsec|wl_live|https?:/);
    expect(received!.body).not.toContain(key);
    expect(await settled('delivered')).toMatchObject({ attempts: [{ status: 204, error: null }] });
  });

  test('I4: a payload is small whatever the message', () => {
    const run = { status: 'failed', error: { ...error, message: 'x'.repeat(1e6) }, completedAt: 0 };
    const submission = { question: { model: 'sha256:0', method: 'grad-cam' } };
    const { payload } = endEvent('exp_0', { ...run, submission } as never);
    expect(payload.length).toBeLessThan(20_000);
  });

  test('B10: everyone who waits is told once, whatever is reported twice, and who finds it done is told too', async () => {
    const { ask, arrived, name, deliveries } = await hooked();
    const [leader, follower] = [await ask(), await ask()];
    const [job] = await jobsTaken(cacheKeyOf(leader));
    await Promise.all([report(job!, success(job!)), report(job!, success(job!))]);
    await report(job!, success(job!));
    const hit = await ask();
    expect(hit.cache.status).toBe('hit');
    await arrived(3);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const ids = (await seen(name)).map(({ headers }) => headers['webhook-id']);
    const expected = [leader, follower, hit].map(({ id }) => `evt_${id.slice(4)}`);
    expect(ids.toSorted()).toEqual(expected.toSorted());
    expect((await deliveries()).map(({ id }) => id)).toEqual(expected.toSorted().toReversed());
  });

  test('L9, B10: who waits for pictures in another style is told once, when they are there, and a hit is too', async () => {
    const { ask, arrived, name } = await hooked();
    const other = (opacity: number) => ask({ output: { visualization: { opacity } } });
    const [own, waiting] = [await ask(), await other(0.3)];
    await workerAnswers(503);
    await end(own);
    const hit = await other(0.4);
    expect([hit.status, hit.cache.status]).toEqual(['processing', 'hit']);
    const told = async () => (await seen(name)).map(({ headers }) => headers['webhook-id']);
    await arrived();
    expect(await told()).toEqual([`evt_${own.id.slice(4)}`]);
    await workerAnswers(202);
    await at(60_000, () => runDurableObjectAlarm(bindings.COMPUTATION.getByName(cacheKeyOf(own))));
    await arrived(3);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const expected = [own, waiting, hit].map(({ id }) => `evt_${id.slice(4)}`);
    expect((await told()).toSorted()).toEqual(expected.toSorted());
  });

  test('failures, cancelling and deadlines are told as what they are', async () => {
    const { key, ask, arrived } = await hooked();
    await end(await ask(), { status: 'failed', error });
    const canceled = await ask({ target: { class_index: 1 } });
    await call('POST', canceled.urls.cancel, { key });
    const all = await arrived(2);
    const types = all.map(({ body }) => (JSON.parse(body) as { type: string }).type);
    expect(types.toSorted()).toEqual(['explanation.canceled', 'explanation.failed']);
  });

  test('I5, I2: what does not arrive is tried again, under the same id, until it does', async () => {
    const { ask, arrived, settled, name, webhookDeliveries } = await hooked('500');
    await end(await ask());
    const first = await settled('pending');
    expect(first.attempts[0]).toMatchObject({ status: 500, error: 'refused' });
    expect(Date.parse(first.next_attempt_at!) - Date.now()).toBeLessThanOrEqual(5_000);
    await at(6_000, () => runDurableObjectAlarm(webhookDeliveries));
    const second = await settled('pending', 2);
    expect(Date.parse(second.next_attempt_at!) - Date.now()).toBeGreaterThan(290_000);
    await behave(name, '200');
    await at(320_000, () => runDurableObjectAlarm(webhookDeliveries));
    await settled('delivered', 3);
    const received = await arrived(3);
    expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(new Set(received.map(({ headers }) => headers['webhook-timestamp'])).size).toBe(3);
  });

  test('I2: an endpoint that takes nothing for days is disabled and says why; enabled, it is sent again what is asked for', async () => {
    const { key, ask, settled, webhook, name, webhookDeliveries, arrived } = await hooked('503');
    await end(await ask());
    await settled('pending');
    for (let days = 1; days <= 9; days++)
      await at(days * 86_400_000, () => runDurableObjectAlarm(webhookDeliveries));
    const failed = await settled('failed', 10);
    expect(failed.next_attempt_at).toBeNull();
    const self = `${path}/${webhook}`;
    const disabled = (await call('GET', self, { key })).body;
    expect(disabled).toMatchObject({
      status: 'disabled',
      disabled_reason: 'The endpoint has accepted nothing for days.',
    });
    const refused = await ask({ target: { class_index: 2 } });
    expect((refused as unknown as { code: string }).code).toBe('invalid_parameter');
    const before = (await seen(name)).length;

    await behave(name, '204');
    const enabled = await call('PATCH', self, { key, body: { status: 'enabled' } });
    expect(enabled.body).toMatchObject({ status: 'enabled', disabled_reason: null });
    const resent = await call('POST', `${self}/deliveries/${failed.id}/redeliver`, { key });
    expect([resent.status, resent.body.status, resent.body.id]).toEqual([202, 'pending', failed.id]);
    expect((await arrived(before + 1)).at(-1)!.headers['webhook-id']).toBe(failed.id);
    await settled('delivered', 11);
    expect((await call('POST', `${self}/deliveries/evt_${'0'.repeat(26)}/redeliver`, { key })).status).toBe(
      404,
    );
  });

  test('I2: an endpoint that says it is gone is disabled at once', async () => {
    const { key, ask, settled, webhook } = await hooked('410');
    await end(await ask());
    await settled('failed');
    await vi.waitFor(async () =>
      expect((await call('GET', `${path}/${webhook}`, { key })).body.status).toBe('disabled'),
    );
  });

  test('I2: a body without end is not read, and an endpoint that never answers is left after 15 seconds', async () => {
    const endless = await hooked('endless');
    const silent = await hooked('never');
    await end(await endless.ask());
    await endless.settled('delivered');
    const made = await silent.ask();
    const start = performance.now();
    await end(made);
    expect((await call('GET', made.urls.self, { key: silent.key })).body.status).toBe('succeeded');
    expect(performance.now() - start).toBeLessThan(10_000);
    const delivery = await silent.settled('pending');
    expect(delivery.attempts[0]).toMatchObject({ status: null, error: 'timeout' });
  });

  test('I1: a redirect is not followed', async () => {
    const { ask, settled } = await hooked('redirect');
    await end(await ask());
    expect((await settled('pending')).attempts[0]).toMatchObject({ status: 307, error: 'redirect' });
    expect(await seen('elsewhere')).toEqual([]);
  });

  test.each([
    ['to this network', ['10.0.0.1'], 'address_not_public'],
    ['to both', ['8.8.8.8', '127.0.0.1'], 'address_not_public'],
    ['to a mapped address', ['::ffff:169.254.169.254'], 'address_not_public'],
    ['nowhere', [], 'name_not_found'],
  ])('I1: a name that leads %s is not called', async (_, addresses, expected) => {
    const { key, ask, settled, webhook, name } = await hooked();
    const host = `${name.toLowerCase()}.example.com`;
    await fetch(`${receiver}/dns/${host}`, { method: 'PUT', body: JSON.stringify(addresses) });
    const body = { url: `https://${host}/hook` };
    expect((await call('PATCH', `${path}/${webhook}`, { key, body })).status).toBe(200);
    await end(await ask());
    expect((await settled('pending')).attempts[0]).toMatchObject({ status: null, error: expected });
  });

  test('I1: an address on this machine is refused where it is not allowed by name, also one that was taken before', async () => {
    const { key, webhook } = await hooked();
    const strict = { ...env, WEBHOOKS_ALLOW_LOOPBACK: 'false' } as never;
    const headers = { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' };
    for (const [method, url] of [
      ['POST', path],
      ['PATCH', `${path}/${webhook}`],
    ] as const) {
      const body = JSON.stringify({ url: `${receiver}/hook/x` });
      const response = await app.request(url, { method, headers, body }, strict);
      const problem = (await response.json()) as { code: string; errors: { pointer: string }[] };
      expect([response.status, problem.code, problem.errors[0]!.pointer]).toEqual([
        400,
        'invalid_parameter',
        '/url',
      ]);
    }
  });

  test('I3: during a rotation both secrets verify, afterwards the new one alone', async () => {
    const { key, ask, arrived, webhook, secret: old } = await hooked();
    const body = { grace_seconds: 3600 };
    const rotated = await call('POST', `${path}/${webhook}/rotate_secret`, { key, body });
    const secret = rotated.body.secret as string;
    expect([rotated.status, secret === old]).toEqual([200, false]);
    await end(await ask());
    const [both] = await arrived();
    expect([await verified(both!, old), await verified(both!, secret)]).toEqual([true, true]);
    expect(
      (await call('POST', `${path}/${webhook}/rotate_secret`, { key, body: { grace_seconds: 0 } })).status,
    ).toBe(200);
    await end(await ask({ target: { class_index: 1 } }));
    const last = (await arrived(2)).at(-1)!;
    expect([await verified(last, old), await verified(last, secret)]).toEqual([false, false]);
    expect(last.headers['webhook-signature']!.split(' ')).toHaveLength(1);
  });

  test('A5: an endpoint that is another’s or none is not there; one that is deleted gets nothing more', async () => {
    const { key, ask, webhook, name } = await hooked();
    const other = await hooked();
    for (const wrong of [other.webhook, 'whk_x', `whk_${'0'.repeat(26)}`]) {
      const refused = (await ask({ webhook: wrong })) as unknown as {
        code: string;
        errors: { pointer: string }[];
      };
      expect([refused.code, refused.errors[0]!.pointer]).toEqual(['resource_not_found', '/webhook']);
    }
    const made = await ask();
    expect((await call('DELETE', `${path}/${webhook}`, { key })).status).toBe(204);
    await end(made);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await seen(name)).toEqual([]);
    expect((await call('GET', `${path}/${webhook}`, { key })).status).toBe(404);
  });

  test('the secret is shown once and is in no list, and not in the database', async () => {
    const { key, secret, webhook } = await hooked();
    const list = await call('GET', path, { key });
    expect(list.body.data.map(({ id }: { id: string }) => id)).toEqual([webhook]);
    expect(list.text).not.toContain('whsec');
    const { results } = await bindings.DB.prepare('SELECT * FROM webhook_endpoints WHERE id = ?')
      .bind(webhook)
      .all();
    expect(JSON.stringify(results)).not.toContain(secret.slice('whsec_'.length));
  });

  test('B9: a report that comes while the watchdog tells a webhook is not undone by it', async () => {
    const { key, ask } = await hooked();
    const [leaver, stayer] = [await ask(), await ask({ webhook: undefined })];
    const stub = bindings.COMPUTATION.getByName(cacheKeyOf(leaver));
    const [job] = await jobsTaken(cacheKeyOf(leaver));
    await report(job!, { status: 'processing' });
    const deliveries = (deliver: () => Promise<unknown>) => ({ getByName: () => ({ deliver }) });
    const set = (WEBHOOK_DELIVERIES: unknown) =>
      runInDurableObject(
        stub,
        (instance) => void Object.assign(instance, { env: { ...bindings, WEBHOOK_DELIVERIES } }),
      );
    await set(deliveries(() => Promise.reject(new Error('down'))));
    await call('POST', leaver.urls.cancel, { key });
    await set(deliveries(() => report(job!, success(job!))));
    await at(leaseTime + 1_000, () => runDurableObjectAlarm(stub));
    expect((await call('GET', stayer.urls.self, { key })).body.status).toBe('succeeded');
    expect(await jobsTaken(cacheKeyOf(leaver))).toHaveLength(1);
  });

  test('J12, I2: deliveries are tried again after the database was away', async () => {
    const told = vi.spyOn(console, 'error').mockImplementation(() => {});
    const { ask, webhookDeliveries, arrived } = await hooked();
    const set = (DB: unknown) =>
      runInDurableObject(
        webhookDeliveries,
        (instance) => void Object.assign(instance, { env: { ...bindings, DB } }),
      );
    const prepare = () => {
      throw new Error('D1_ERROR: no answer');
    };
    await set({ prepare });
    await end(await ask());
    await vi.waitFor(() =>
      expect(told).toHaveBeenCalledWith(
        'the deliveries of an endpoint failed; the alarm tries them again',
        expect.any(Error),
      ),
    );
    expect(
      await runInDurableObject(webhookDeliveries, (_, { storage }) => storage.getAlarm()),
    ).not.toBeNull();
    await set(bindings.DB);
    await at(61_000, () => runDurableObjectAlarm(webhookDeliveries));
    await arrived();
  });

  test('an event that could not be handed over is handed over again by the watchdog', async () => {
    const { ask, arrived, webhookDeliveries } = await hooked();
    const made = await ask();
    const stub = bindings.COMPUTATION.getByName(cacheKeyOf(made));
    const down = { getByName: () => ({ deliver: () => Promise.reject(new Error('down')) }) };
    const set = (WEBHOOK_DELIVERIES: unknown) =>
      runInDurableObject(
        stub,
        (instance) => void Object.assign(instance, { env: { ...bindings, WEBHOOK_DELIVERIES } }),
      );
    await set(down);
    await end(made);
    await set(bindings.WEBHOOK_DELIVERIES);
    await at(61_000, () => runDurableObjectAlarm(stub));
    await at(62_000, () => runDurableObjectAlarm(webhookDeliveries));
    expect(await arrived()).toHaveLength(1);
  });

  test('without a secret of the operator’s there are none', async () => {
    const { key } = await newTenant();
    const headers = { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' };
    const body = JSON.stringify({ url: 'https://example.com/' });
    const response = await app.request(path, { method: 'POST', headers, body }, {
      ...env,
      WEBHOOK_SECRET: undefined,
    } as never);
    expect(response.status).toBe(503);
  });
});
