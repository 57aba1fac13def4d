import { createHash } from 'node:crypto';
import type { Explanation, Report, Usage } from '@whylight/contract';
import { colourNetwork } from '@whylight/host/testing';
import { afterEach, expect, test } from 'vitest';
import { drawing } from '../service/pictures.ts';
import { type Call, type Front, listen } from './front.ts';
import { SeveralWorkers } from './several-workers.ts';

let service: SeveralWorkers | undefined;
let receiver: Front | undefined;
afterEach(async () => {
  await service?.stop();
  await receiver?.close();
});

const api = async <T>(method: string, path: string, body?: object): Promise<T> => {
  const response = await fetch(service!.url + path, {
    method,
    headers: { Authorization: `Bearer ${service!.tenant.key.secret}`, 'Content-Type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  expect(response.ok, `${method} ${path}: ${response.status}`).toBe(true);
  return response.json() as Promise<T>;
};

const usage = async (): Promise<{ explanations: number; compute_units: number }> => {
  const { data } = await api<{ data: Usage[] }>('GET', '/v1/usage');
  return {
    explanations: data.reduce((sum, day) => sum + day.explanations, 0),
    compute_units: data.reduce((sum, day) => sum + day.compute_units, 0),
  };
};

const photo = async (seed: number): Promise<string> =>
  (await service!.client.upload((await drawing(seed)).png, 'image/png')).id;

/** Whether the bytes behind a link are others than it says. */
async function isDamaged({
  url,
  bytes,
  sha256,
}: {
  url: string;
  bytes: number;
  sha256: string;
}): Promise<boolean> {
  const got = await service!.client.download({ url });
  return got.length !== bytes || createHash('sha256').update(got).digest('hex') !== sha256;
}

/** Names of artifacts whose bytes in the store are not those that the explanation speaks of. */
async function damaged({ attributions }: Explanation): Promise<string[]> {
  const links = Object.values(attributions[0]!.artifacts);
  const checked = links.map(async (link) => ((await isDamaged(link)) ? [link.name] : []));
  return (await Promise.all(checked)).flat();
}

const isClaim = ({ path }: Call) => path.startsWith('/internal/claims/');

test('L3: every message twice, to three workers: one attempt, one writer, hashes right, billed once, one webhook', async () => {
  const count = 15;
  const told: { id: string; explanation: string }[] = [];
  receiver = await listen(async ({ headers, body }) => {
    told.push({ id: headers['webhook-id']!, explanation: JSON.parse(body.toString()).data.id });
    return new Response(null, { status: 204 });
  });
  const ends: Report[] = [];
  const refused: number[] = [];
  service = await SeveralWorkers.start(3, async (call, pass) => {
    const answer = await pass();
    if (isClaim(call) && answer.status === 409) refused.push(answer.status);
    const report = isClaim(call) ? null : (JSON.parse(call.body.toString()) as Report);
    if (report?.status === 'succeeded' || report?.status === 'failed') ends.push(report);
    return answer;
  });
  const webhook = (
    await api<{ id: string }>('POST', '/v1/webhook_endpoints', { url: `${receiver.url}/hook` })
  ).id;

  const uploads = await Promise.all(Array.from({ length: count }, (_, seed) => photo(seed)));
  const ask = (upload: string) => service!.client.explain({ input: { upload }, method: 'grad-cam', webhook });
  await ask(uploads[0]!);
  const one = await usage();
  expect(one.explanations).toBe(1);
  const asked = await Promise.all(uploads.map(ask));
  for (const { explanation } of asked)
    expect(explanation).toMatchObject({ status: 'succeeded', error: null });
  const predicted = await service.client.predict({ input: { upload: uploads[0]! } });
  expect(predicted.predictions.length).toBeGreaterThan(0);

  // The test is about something: each attempt was given to two workers at least, and all but one were sent away.
  expect([...service.deliveries.keys()].map((attempt) => attempt.split('/')[1])).toEqual(
    Array(count + 1).fill('1'),
  );
  for (const places of service.deliveries.values()) expect(new Set(places).size).toBeGreaterThan(1);
  await expect.poll(() => refused.length).toBeGreaterThanOrEqual(count + 1);
  expect(await service.counter('whylight_claims_total', 'outcome="claimed"')).toBe(count + 1);
  expect(await service.counter('whylight_claims_total', 'outcome="given_up"')).toBe(0);
  expect(await service.counter('whylight_explanations_total')).toBe(count);
  expect(await service.counter('whylight_predictions_total')).toBe(1);
  expect(ends.map(({ status }) => status)).toEqual(Array(count + 1).fill('succeeded'));
  expect(new Set(ends.map(({ nonce }) => nonce)).size).toBe(count + 1);

  // One writer each, and what it wrote is what is said of it.
  const places = (await service.objects()).map((name) => name.slice(0, name.lastIndexOf('/')));
  expect([places.length, new Set(places).size]).toEqual([4 * count, count]);
  for (const { explanation } of asked)
    expect([explanation.id, await damaged(explanation)]).toEqual([explanation.id, []]);

  // Billed once, also when it is asked for again.
  const bill = { explanations: count + 1, compute_units: count * one.compute_units + 1 };
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
  /** How often a claim was made, by path and nonce. */
  const made = new Map<string, number>();
  service = await SeveralWorkers.start(3, async (call, pass) => {
    if (!isClaim(call)) return pass();
    const { nonce } = JSON.parse(call.body.toString()) as { nonce: string };
    const times = (made.get(nonce) ?? 0) + 1;
    made.set(nonce, times);
    // The first is lost on its way there, the second on its way back.
    if (times === 1) return null;
    const answer = await pass();
    return times === 2 ? null : answer;
  });
  const uploads = await Promise.all(Array.from({ length: count }, (_, seed) => photo(100 + seed)));
  const asked = await Promise.all(
    uploads.map((upload) => service!.client.explain({ input: { upload }, method: 'grad-cam' })),
  );
  for (const { explanation } of asked) {
    expect(explanation.status).toBe('succeeded');
    expect(await damaged(explanation)).toEqual([]);
  }
  expect([...service.deliveries.keys()].every((attempt) => attempt.endsWith('/1'))).toBe(true);
  expect(Math.max(...made.values())).toBe(3);
  expect(await service.counter('whylight_claims_total', 'outcome="claimed"')).toBe(count);
  expect((await usage()).explanations).toBe(count);
});

test('L3: a drawing, a model that is examined and one that is got ready, by two workers at once, do no harm', async () => {
  service = await SeveralWorkers.start(2);
  const { client } = service;
  const input = { upload: await photo(200) };
  const { explanation } = await client.explain({ input, method: 'grad-cam' });
  const { artifacts } = await client.render(explanation.id, { visualization: { color_map: 'viridis' } });
  expect(await service.counter('whylight_renderings_total')).toBe(2);
  for (const link of Object.values(artifacts))
    expect([link.name, await isDamaged(link)]).toEqual([link.name, false]);
  expect(await damaged(explanation)).toEqual([]);

  const pushed = await client.ownModels.push(new Uint8Array(colourNetwork()), { name: 'mine' });
  expect(pushed).toMatchObject({ status: 'ready', own: true, error: null });
  const isSettled = (line: Record<string, unknown>) => line.event === 'model_examined';
  for (const worker of service.workers)
    await expect.poll(() => worker.lines.filter(isSettled).length).toBe(1);
  const list = await api<{ data: { id: string }[] }>('GET', '/v1/models');
  expect(list.data.filter(({ id }) => id === pushed.id)).toHaveLength(1);

  await client.ownModels.warm(pushed.id);
  await expect.poll(() => service!.counter('whylight_model_loads_total'), { timeout: 20_000 }).toBe(2);
  await client.ownModels.warm(pushed.id);
  const own = await client.explain({ input, model: pushed.id, method: 'saliency' });
  expect(own.explanation.status).toBe('succeeded');
  expect(await damaged(own.explanation)).toEqual([]);
  expect(await service.counter('whylight_model_loads_total')).toBe(2);
  expect((await usage()).explanations).toBe(2);
});
