import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { type Catalog, type Order, presencePath, reportPeriod, sign } from '@whylight/contract';
import { describe, expect, test } from 'vitest';
import { app } from '../src/app.ts';
import type { WorkerRegistryPort } from '../src/domain/ports.ts';
import { mostMissed } from '../src/domain/worker-presence.ts';
import { at, bindings, presenceOf, say } from './gateway.ts';
import { catalog } from './outside/worker-double.ts';
import { workerSecret } from './secrets.ts';

let made = 0;
/** A registry of this test's own; the routes share another one. */
const newRegistry = () => {
  const stub = bindings.WORKER_REGISTRY.getByName(`test-${++made}`);
  return { registry: stub as unknown as WorkerRegistryPort, stub };
};

const json = { 'Content-Type': 'application/json' };
const digest = 'a'.repeat(64);
const ready = { state: 'ready', catalog: { digest, body: catalog } } as const;
const drop = { order: 'drop', key: 'c'.repeat(64), attempt: 1 } as const;
const ordersIn = ({ orders }: { readonly orders: Order[] }) => orders;
const minutes = (count: number) => Date.now() + count * 60_000;

describe('a presence report', () => {
  const report = (change = {}, secret?: string) =>
    say(`http://gateway.test${presencePath}`, presenceOf('w-route', change), secret);
  const signedAt = async (time: number) => {
    const body = JSON.stringify(presenceOf('w-route'));
    const call = { direction: 'worker-to-gateway', method: 'POST', path: presencePath, body } as const;
    const request = {
      method: 'POST',
      body,
      headers: { ...json, ...(await sign(workerSecret, call, time / 1000)) },
    };
    const answer = await app.request(presencePath, request, { ...env });
    return [answer.status, await answer.json()];
  };

  test('B21: of a worker whose clock is 9 minutes off is answered with the gateway’s time, and without fault', async () => {
    const { status, body } = await report({ clock: minutes(9) });
    expect([status, body]).toMatchObject([200, { fault: null, catalog_known: true, orders: [] }]);
    expect(await signedAt(minutes(9))).toMatchObject([200, { now: expect.any(Number) }]);
  });

  test('L6: of a worker whose clock is wrong says so in words, also where the signature is refused for it', async () => {
    const words = /the clock is [\d,]+ s ahead of the gateway's: set the time by NTP/;
    expect((await report({ clock: minutes(12) })).body).toMatchObject({
      fault: expect.stringMatching(words),
    });
    expect(await signedAt(minutes(20))).toMatchObject([
      401,
      { code: 'wrong_clock', detail: expect.stringMatching(words) },
    ]);
  });

  test('L6: of a worker with another secret is refused by name', async () => {
    const { status, body } = await report({}, 'the secret of another service, as long');
    expect([status, body]).toMatchObject([401, { code: 'invalid_signature' }]);
  });

  test('L6: both secrets are valid while one replaces the other, and no third', async () => {
    const newer = 'the newer secret of gateway and worker';
    const send = async (secret: string) => {
      const body = JSON.stringify(presenceOf('w-route'));
      const call = { direction: 'worker-to-gateway', method: 'POST', path: presencePath, body } as const;
      const headers = { ...json, ...(await sign(secret, call, Date.now() / 1000)) };
      const rotating = { ...env, WORKER_SECRET: newer, WORKER_SECRET_PREVIOUS: workerSecret };
      return (await app.request(presencePath, { method: 'POST', body, headers }, rotating)).status;
    };
    expect(await send(newer)).toBe(200);
    expect(await send(workerSecret)).toBe(200);
    expect(await send('a third secret, which is long enough too')).toBe(401);
  });
});

describe('the registry of workers', () => {
  test('offers together what the ready workers have, and counts those that report', async () => {
    const { registry } = newRegistry();
    const { models, device } = catalog;
    const smaller: Catalog = { device, models: [models[0]!] };
    await registry.report(presenceOf('w1', ready));
    await registry.report(presenceOf('w2', { ...ready, catalog: { digest: 'b'.repeat(64), body: smaller } }));
    await registry.report(presenceOf('w3'));
    await registry.report(presenceOf('w4', { ...ready, numerics_version: '0' }));
    const workers = await registry.read();
    expect(workers.count).toBe(4);
    expect(workers.catalog!.models.map(({ name, updating }) => [name, updating])).toEqual([
      ['shapes', undefined],
      ['odd', true],
    ]);
  });

  test('asks for a catalogue that it does not know, and keeps it when it is evicted', async () => {
    const { registry, stub } = newRegistry();
    const { catalog_known } = await registry.report(
      presenceOf('w1', { state: 'ready', catalog: { digest } }),
    );
    expect(catalog_known).toBe(false);
    expect((await registry.report(presenceOf('w1', ready))).catalog_known).toBe(true);
    await evictDurableObject(stub);
    expect((await registry.read()).catalog).toEqual(catalog);
    const again = await registry.report(presenceOf('w1', { state: 'ready', catalog: { digest } }));
    expect(again.catalog_known).toBe(true);
  });

  test('L7: an order comes with the report that is under way, and with the next ones until it is acknowledged', async () => {
    const { registry } = newRegistry();
    await registry.report(presenceOf('w1'));
    const held = registry.report(presenceOf('w1', { wait: reportPeriod }));
    const other = registry.report(presenceOf('w2', { wait: 1 }));
    await registry.order('w1', drop);
    const [order] = ordersIn(await held);
    expect(order).toEqual({ ...drop, id: expect.any(String) });
    expect(ordersIn(await other)).toEqual([]);
    expect(ordersIn(await registry.report(presenceOf('w1')))).toEqual([order]);
    expect(ordersIn(await registry.report(presenceOf('w1', { done: [order!.id] })))).toEqual([]);
  });

  test('L7: an order for a worker that has not reported yet waits for its next report', async () => {
    const { registry } = newRegistry();
    await registry.order('w1', drop);
    expect(ordersIn(await registry.report(presenceOf('w1', { wait: reportPeriod })))).toMatchObject([drop]);
  });

  test('L7: what all are told goes to every ready worker, and to no other', async () => {
    const { registry } = newRegistry();
    await registry.report(presenceOf('w1', ready));
    await registry.report(presenceOf('w2', ready));
    await registry.report(presenceOf('w3'));
    await registry.report(presenceOf('w4', { ...ready, contract: '/v0/jobs' }));
    expect(await registry.orderAll(drop)).toBe(2);
    const told = await Promise.all(
      ['w1', 'w2', 'w3', 'w4'].map(async (id) => ordersIn(await registry.report(presenceOf(id))).length),
    );
    expect(told).toEqual([1, 1, 0, 0]);
  });

  test('L6: a worker hears at once that the gateway cannot use it, and then that it can again', async () => {
    const { registry } = newRegistry();
    await registry.report(presenceOf('w1', ready));
    const wait = { wait: reportPeriod };
    expect((await registry.report(presenceOf('w1', { ...wait, clock: minutes(20) }))).fault).toMatch(/clock/);
    expect((await registry.report(presenceOf('w1', wait))).fault).toBeNull();
  });

  test('forgets a worker that stops at once, and one that misses reports after a few periods, with its catalogue', async () => {
    const { registry, stub } = newRegistry();
    await registry.report(presenceOf('w1', ready));
    await registry.report(presenceOf('w2', ready));
    await registry.report(presenceOf('w2', { state: 'stopped' }));
    expect((await registry.read()).count).toBe(1);
    const periods = (count: number) => count * reportPeriod * 1000;
    expect((await at(periods(mostMissed), () => registry.read())).count).toBe(1);
    expect(await at(periods(mostMissed + 2), () => registry.read())).toEqual({ count: 0, catalog: null });
    const kept = await runInDurableObject(stub, async (_, { storage }) => [...(await storage.list()).keys()]);
    expect(kept).toEqual([]);
  });
});
