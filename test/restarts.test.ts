import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { drawing } from './service/pictures.ts';
import { RunningService, survivors } from './service/running-service.ts';

let service: RunningService;

beforeAll(async () => {
  service = await RunningService.start();
});
afterAll(() => service?.remove());

/** Kills its processes with `word` in their command line, and resolves when others have taken their place and the service answers. */
async function replaced(word: string, url: string): Promise<void> {
  const before = await service.processes(word);
  expect(before.length).toBeGreaterThan(0);
  for (const pid of before) process.kill(pid, 'SIGKILL');
  expect(await survivors(before)).toEqual([]);
  for (;;) {
    const answer = await fetch(url, { signal: AbortSignal.timeout(2000) }).catch(() => null);
    if (answer?.ok && (await service.processes(word)).length >= before.length) return;
    await sleep(200);
  }
}

const explained = async (seed: number) => {
  const { png } = await drawing(seed);
  const { id } = await service.client.upload(png, 'image/png');
  return (await service.client.explain({ input: { upload: id }, method: 'grad-cam' })).explanation.status;
};

it('a worker that is killed is started again, and explains', async () => {
  await replaced('gpu-worker', `${service.ready.worker_url}/readyz`);
  expect(await explained(21)).toBe('succeeded');
});

it('a workerd that is killed is started again, at the same address, with the same keys', async () => {
  await replaced('workerd-', `${service.ready.url}/readyz`);
  expect(await explained(22)).toBe('succeeded');
});

it('after that it still stops as a whole', async () => {
  const started = await service.descendants();
  expect(await service.end()).toBe(0);
  expect(await survivors(started)).toEqual([]);
});
