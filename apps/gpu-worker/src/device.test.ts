import { OutOfMemoryError, type Session } from '@whylight/core';
import { createThreadedRuntime, DeviceError } from '@whylight/host';
import { afterEach, expect, test } from 'vitest';
import { createWorld, disc, type World } from './testing/world.ts';

let world: World;
afterEach(() => world.close());

/** A device, called `device`, on which every run of a graph is `before`d. */
const faulty =
  (before: (feeds: Parameters<Session['run']>[0]) => void, device = 'cpu'): typeof createThreadedRuntime =>
  async (options) => {
    const runtime = await createThreadedRuntime(options);
    return {
      device,
      close: () => runtime.close(),
      [Symbol.asyncDispose]: () => runtime.close(),
      async load(model) {
        const session = await runtime.load(model);
        return {
          close: () => session.close(),
          async run(feeds) {
            before(feeds);
            return session.run(feeds);
          },
        };
      },
    };
  };

test.each([
  ['cpu', 'out_of_memory'],
  ['cuda', 'gpu_out_of_memory'],
] as const)(
  'F1: on %s a batch that does not fit is cut until it does; what fits in no way fails as %s, and the next job is well',
  async (device, code) => {
    let room = 2;
    const sizes: number[] = [];
    const runtime = faulty(({ image }) => {
      sizes.push(image!.shape[0]!);
      if (image!.shape[0]! > room) throw new OutOfMemoryError('no room');
    }, device);
    world = await createWorld({ BATCH: 8, BATCH_DELAY_MS: 200 }, undefined, runtime);
    const photo = await disc();
    const offer = async (digit: string) => world.post(await world.prepared(photo, { key: digit.repeat(64) }));
    await Promise.all(['1', '2', '3', '4', '5'].map(offer));
    await expect.poll(() => world.endings().length, { timeout: 20_000 }).toBe(5);
    expect(world.endings().every(({ status }) => status === 'succeeded')).toBe(true);
    expect(Math.max(...sizes)).toBeGreaterThan(2);

    room = 0;
    await offer('6');
    await expect.poll(() => world.endings().length, { timeout: 20_000 }).toBe(6);
    expect(world.endings().at(-1)).toMatchObject({
      status: 'failed',
      error: { code, retryable: false },
    });
    room = 8;
    await offer('7');
    await expect.poll(() => world.endings().length, { timeout: 20_000 }).toBe(7);
    expect(world.endings().at(-1)!.status).toBe('succeeded');
  },
);

test('F2: a lost device hands every job back, takes no more, and asks for the process to end', async () => {
  const runtime = faulty(() => {
    throw new DeviceError('CUDA error: an illegal memory access was encountered');
  });
  world = await createWorld({ CONCURRENCY: 1 }, undefined, runtime);
  const photo = await disc();
  const offer = async (digit: string) => world.post(await world.prepared(photo, { key: digit.repeat(64) }));
  await Promise.all(['1', '2', '3'].map(offer));
  await world.worker.deviceLost;
  expect(world.endings()).toHaveLength(3);
  for (const report of world.endings())
    expect(report).toMatchObject({ status: 'handed_back', checkpoint: null });
  expect((await fetch(`${world.worker.url}/readyz`)).status).toBe(503);
  expect((await fetch(`${world.worker.url}/livez`)).status).toBe(503);
});
