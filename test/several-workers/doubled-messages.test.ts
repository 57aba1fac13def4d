import { createHash } from 'node:crypto';
import { WhylightClient } from '@whylight/client';
import type { Report, Usage } from '@whylight/contract';
import { colourNetwork } from '@whylight/host/testing';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { drawing } from '../service/pictures.ts';
import { type Call, type Front, listen } from './front.ts';
import { SeveralWorkers } from './several-workers.ts';

let service: SeveralWorkers;
beforeAll(async () => {
  service = await SeveralWorkers.start({ workers: [{}, {}, {}], doubled: true });
});
afterAll(() => service?.stop());

let receiver: Front | undefined;
afterEach(async () => {
  service.onCall = (_, pass) => pass();
  await receiver?.close();
  receiver = undefined;
});

/** A tenant, and what it can ask and see. */
async function newcomer(name: string) {
  const tenant = await service.newTenant(name);
  const key = tenant.key.secret;
  const client = new WhylightClient({ url: service.url, apiKey: key });
  const isDamaged = async ({ url, bytes, sha256 }: Link): Promise<boolean> => {
    const got = await client.download({ url });
    return got.length !== bytes || createHash('sha256').update(got).digest('hex') !== sha256;
  };
  return {
    client,
    call: <T>(method: string, path: string, body?: object) => service.call<T>(method, path, key, body),
    photo: async (seed: number) => (await client.upload((await drawing(seed)).png, 'image/png')).id,
    usage: async () => {
      const { data } = await service.call<{ data: Usage[] }>('GET', '/v1/usage', key);
      return {
        explanations: data.reduce((sum, day) => sum + day.explanations, 0),
        compute_units: data.reduce((sum, day) => sum + day.compute_units, 0),
      };
    },
    objects: () => service.objects(tenant),
    /** Names of those whose bytes in the store are not what is said of them. */
    damaged: async (links: Readonly<Record<string, Link>>): Promise<string[]> => {
      const checked = Object.values(links).map(async (link) => ((await isDamaged(link)) ? [link.name] : []));
      return (await Promise.all(checked)).flat();
    },
  };
}
type Link = { readonly name: string; readonly url: string; readonly bytes: number; readonly sha256: string };

/** Counters of all workers, from now on. */
async function counting(names: Readonly<Record<string, readonly [name: string, label?: string]>>) {
  const read = async () =>
    Object.fromEntries(
      await Promise.all(
        Object.entries(names).map(async ([as, series]) => [as, await service.counter(...series)] as const),
      ),
    );
  const before = await read();
  return async () => Object.fromEntries(Object.entries(await read()).map(([as, n]) => [as, n - before[as]!]));
}

const isClaim = ({ path }: Call) => path.startsWith('/internal/claims/');

test('L3: every message twice, to three workers: one attempt, one writer, hashes right, billed once, one webhook', async () => {
  const count = 15;
  const { client, call, photo, usage, objects, damaged } = await newcomer('doubled');
  const told: { id: string; explanation: string }[] = [];
  receiver = await listen(async ({ headers, body }) => {
    told.push({ id: headers['webhook-id']!, explanation: JSON.parse(body.toString()).data.id });
    return new Response(null, { status: 204 });
  });
  const { id: webhook } = await call<{ id: string }>('POST', '/v1/webhook_endpoints', {
    url: `${receiver.url}/hook`,
  });
  const ends: Report[] = [];
  let refused = 0;
  service.onCall = async (said, pass) => {
    const answer = await pass();
    if (isClaim(said)) refused += Number(answer.status === 409);
    else {
      const report = JSON.parse(said.body.toString()) as Report;
      if (report.status === 'succeeded' || report.status === 'failed') ends.push(report);
    }
    return answer;
  };
  const counted = await counting({
    claimed: ['whylight_claims_total', 'outcome="claimed"'],
    given_up: ['whylight_claims_total', 'outcome="given_up"'],
    explained: ['whylight_explanations_total'],
    predicted: ['whylight_predictions_total'],
  });

  const uploads = await Promise.all(Array.from({ length: count }, (_, seed) => photo(seed)));
  const ask = (upload: string) => client.explain({ input: { upload }, method: 'grad-cam', webhook });
  await ask(uploads[0]!);
  const one = await usage();
  expect(one.explanations).toBe(1);
  const asked = await Promise.all(uploads.map(ask));
  for (const { explanation } of asked)
    expect(explanation).toMatchObject({ status: 'succeeded', error: null });
  await client.predict({ input: { upload: uploads[0]! } });

  // The test is about something: each attempt was given to two workers at least, and all but one were sent away.
  const jobs = count + 1;
  expect([...service.deliveries.keys()].map((attempt) => attempt.split('/')[1])).toEqual(
    Array(jobs).fill('1'),
  );
  for (const places of service.deliveries.values()) expect(new Set(places).size).toBeGreaterThan(1);
  await expect.poll(() => refused, { timeout: 20_000 }).toBeGreaterThanOrEqual(jobs);
  expect(await counted()).toEqual({ claimed: jobs, given_up: 0, explained: count, predicted: 1 });
  expect(ends.map(({ status }) => status)).toEqual(Array(jobs).fill('succeeded'));
  expect(new Set(ends.map(({ nonce }) => nonce)).size).toBe(jobs);

  // One writer each, and what it wrote is what is said of it.
  const places = (await objects()).map((name) => name.slice(0, name.lastIndexOf('/')));
  expect([places.length, new Set(places).size]).toEqual([4 * count, count]);
  const found = await Promise.all(
    asked.map(({ explanation }) => damaged(explanation.attributions[0]!.artifacts)),
  );
  expect(found).toEqual(Array(count).fill([]));

  // Billed once, also when it is asked for again.
  const bill = { explanations: jobs, compute_units: count * one.compute_units + 1 };
  expect(await usage()).toEqual(bill);
  const again = await Promise.all(uploads.map(ask));
  expect(again.map(({ explanation }) => explanation.cache.status)).toEqual(Array(count).fill('hit'));
  expect(await usage()).toEqual(bill);

  // Each explanation has told its end once: that of the very first question, and two rounds of all.
  const all = 1 + 2 * count;
  await expect.poll(() => told.length, { timeout: 30_000 }).toBe(all);
  expect(new Set(told.map(({ id }) => id)).size).toBe(all);
  expect(new Set(told.map(({ explanation }) => explanation)).size).toBe(all);
});

test('L3: a gateway that is away while workers claim, or whose answers are lost, costs time and nothing else', async () => {
  const count = 6;
  const { client, photo, usage, damaged } = await newcomer('away');
  const before = service.deliveries.size;
  /** How often each claim was made. */
  const made = new Map<string, number>();
  service.onCall = async (said, pass) => {
    if (!isClaim(said)) return pass();
    const { nonce } = JSON.parse(said.body.toString()) as { nonce: string };
    const times = (made.get(nonce) ?? 0) + 1;
    made.set(nonce, times);
    // The first is lost on its way there, the second on its way back.
    if (times === 1) return null;
    const answer = await pass();
    return times === 2 ? null : answer;
  };
  const counted = await counting({ claimed: ['whylight_claims_total', 'outcome="claimed"'] });
  const uploads = await Promise.all(Array.from({ length: count }, (_, seed) => photo(100 + seed)));
  const asked = await Promise.all(
    uploads.map((upload) => client.explain({ input: { upload }, method: 'grad-cam' })),
  );
  for (const { explanation } of asked) {
    expect(explanation.status).toBe('succeeded');
    expect(await damaged(explanation.attributions[0]!.artifacts)).toEqual([]);
  }
  // None needed a second attempt.
  const attempts = [...service.deliveries.keys()].slice(before);
  expect(attempts.map((attempt) => attempt.split('/')[1])).toEqual(Array(count).fill('1'));
  expect(Math.max(...made.values())).toBe(3);
  expect(await counted()).toEqual({ claimed: count });
  expect((await usage()).explanations).toBe(count);
});

test('L3: a drawing, a model that is examined and one that is got ready, by two workers at once, do no harm', async () => {
  const { client, call, photo, usage, damaged } = await newcomer('other work');
  const input = { upload: await photo(200) };
  const { explanation } = await client.explain({ input, method: 'grad-cam' });
  const counted = await counting({
    rendered: ['whylight_renderings_total'],
    loaded: ['whylight_model_loads_total'],
  });
  const { artifacts } = await client.render(explanation.id, { visualization: { color_map: 'viridis' } });
  expect(await counted()).toEqual({ rendered: 2, loaded: 0 });
  expect(await damaged(artifacts)).toEqual([]);
  expect(await damaged(explanation.attributions[0]!.artifacts)).toEqual([]);

  const pushed = await client.ownModels.push(new Uint8Array(colourNetwork()), { name: 'mine' });
  expect(pushed).toMatchObject({ status: 'ready', own: true, error: null });
  const examined = () =>
    service.workers.flatMap(({ lines }) => lines.filter(({ event }) => event === 'model_examined'));
  await expect.poll(() => examined().length, { timeout: 20_000 }).toBe(2);
  const list = await call<{ data: { id: string; status: string }[] }>('GET', '/v1/models');
  expect(list.data.filter(({ id }) => id === pushed.id)).toMatchObject([{ status: 'ready' }]);

  // Each of the three workers has it then, once; whoever explains by it, it counts once.
  await client.ownModels.warm(pushed.id);
  await expect.poll(counted, { timeout: 20_000 }).toEqual({ rendered: 2, loaded: 3 });
  const own = await client.explain({ input, model: pushed.id, method: 'saliency' });
  expect(own.explanation.status).toBe('succeeded');
  expect(await damaged(own.explanation.attributions[0]!.artifacts)).toEqual([]);
  expect((await usage()).explanations).toBe(2);
});
