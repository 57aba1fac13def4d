import { WhylightClient } from '@whylight/client';
import type { Explanation } from '@whylight/contract';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { drawing } from '../service/pictures.ts';
import { ElasticService } from './elastic-service.ts';
import { deployedRule } from './keda.ts';

// Milliseconds. A worker loads its models, and the queue pauses up to 30 s between two tries.
vi.setConfig({ testTimeout: 600_000 });

const { target, cooldown } = deployedRule();
/** Polls after which a test gives up; none is decided by this number. */
const mostPolls = 1_000;

let service: ElasticService;
let client: WhylightClient;
beforeAll(async () => {
  service = await ElasticService.start();
  const { key } = await service.newTenant();
  client = new WhylightClient({ url: service.url, apiKey: key.secret });
});
afterAll(() => service?.stop());

/** Polls until `isEnough`. @returns the number of polls */
async function pollUntil(isEnough: () => Promise<boolean> | boolean): Promise<number> {
  for (let polls = 0; polls < mostPolls; polls++) {
    if (await isEnough()) return polls;
    await service.poll();
  }
  throw new Error(`not after ${mostPolls} polls: ${JSON.stringify(service.polls.slice(-5))}`);
}

const ask = async (seed: number, count: number): Promise<Explanation[]> => {
  const { id: upload } = await client.upload((await drawing(seed)).png, 'image/png');
  const asked = Array.from({ length: count }, (_, class_index) =>
    client.create({ input: { upload }, model: 'shapes', method: 'grad-cam', target: { class_index } }),
  );
  return (await Promise.all(asked)).map(({ explanation }) => explanation);
};

const areOver = async (asked: readonly Explanation[]): Promise<boolean> => {
  const now = await Promise.all(asked.map(({ id }) => client.explanation(id)));
  return now.every(({ status }) => status !== 'queued' && status !== 'processing');
};

const statusesOf = async (asked: readonly Explanation[]): Promise<string[]> =>
  (await Promise.all(asked.map(({ id }) => client.explanation(id)))).map(({ status }) => status);

/** Polls until there is no replica: exactly after the cooldown, so nothing counted by mistake. */
async function idleToZero(): Promise<void> {
  await pollUntil(() => service.polls.at(-1)!.replicas === 0);
  const lastActive = service.polls.findLastIndex(({ backlog }) => backlog !== null && backlog > 0);
  const idle = service.polls.slice(lastActive + 1).filter(({ backlog }) => backlog === 0);
  expect(idle).toHaveLength(cooldown);
}

test('L4: an empty deployment at zero serves its first requests, all of which count', async () => {
  for (let i = 0; i < 3; i++) expect(await service.poll()).toBe(0);
  const asked = await ask(1, target + 1);
  expect(asked.map(({ status, cache }) => [status, cache.key])).toEqual(asked.map(() => ['queued', null]));
  expect([await service.poll(), await service.poll()]).toEqual([1, 2]);
  expect(service.polls.slice(-2).map(({ backlog }) => backlog)).toEqual([target + 1, target + 1]);
  await pollUntil(() => areOver(asked));
  expect(await statusesOf(asked)).toEqual(asked.map(() => 'succeeded'));
});

test('L4: idle, it goes back to zero; the catalog is known without a worker, also to a gateway that has just started', async () => {
  await idleToZero();
  await service.restartGateway();
  expect((await client.models()).map(({ name }) => name)).toContain('shapes');
});

test('L4: from zero it serves again: an explanation, and a prediction that waits', async () => {
  const [asked] = await ask(2, 1);
  expect([asked!.status, asked!.model.name]).toEqual(['queued', 'shapes']);
  expect(await service.poll()).toBe(1);
  await pollUntil(() => areOver([asked!]));
  expect(await statusesOf([asked!])).toEqual(['succeeded']);
  await idleToZero();

  const { id: upload } = await client.upload((await drawing(3)).png, 'image/png');
  let isGiven = false;
  const prediction = client.predict({ input: { upload }, model: 'shapes' }).finally(() => {
    isGiven = true;
  });
  await pollUntil(() => isGiven);
  expect((await prediction).predictions.length).toBeGreaterThan(0);
  expect(service.polls.at(-1)!.replicas).toBe(1);
});
