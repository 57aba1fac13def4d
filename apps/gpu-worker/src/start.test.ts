import { createRuntime, DeviceError } from '@whylight/host';
import { afterEach, describe, expect, test } from 'vitest';
import { createWorld, disc, MemoryStorage, type World } from './testing/world.ts';

let world: World;
afterEach(() => world.close());

/** Where it is, no provider is missing that a test could ask for. */
const cudaIsHere = await createRuntime({ ep: 'cuda' }).then(
  () => true,
  () => false,
);

const failed = async (reason: RegExp) => {
  expect(await world.health()).toEqual({ status: 'failed', reason: expect.stringMatching(reason) });
  expect((await fetch(`${world.worker.url}/livez`)).status).toBe(503);
  expect((await world.call('GET', '/v1/models')).status).toBe(503);
};

describe('a worker', () => {
  test('F12: a device on which nothing runs is not ready', async () => {
    world = await createWorld({}, undefined, () => Promise.reject(new DeviceError('no warm-up')));
    expect(await world.health()).toEqual({ status: 'failed', reason: 'no warm-up' });
    expect((await fetch(`${world.worker.url}/readyz`)).status).toBe(503);
  });

  test('with a model file that is not there has failed, and says why', async () => {
    world = await createWorld({ MODELS: [{ name: 'm', path: '/nowhere/m.onnx' }] });
    await failed(/^model file m\.onnx: not found; give the path of an \.onnx file$/);
  });

  test.skipIf(cudaIsHere)('F3: with a provider that is not here has failed, and says why', async () => {
    world = await createWorld({ EXECUTION_PROVIDER: 'cuda' });
    await failed(/^execution provider cuda is not available: /);
  });

  test.skipIf(cudaIsHere)('falls back to the CPU only when told to, and reports it everywhere', async () => {
    world = await createWorld({ EXECUTION_PROVIDER: 'cuda', PROVIDER_FALLBACK: true });
    const device = expect.stringMatching(/^cpu \(fallback from cuda: /);
    expect((await world.health()).device).toEqual(device);
    expect((await world.catalog()).device).toEqual(device);
    await world.post(await world.prepared(await disc()));
    expect(await world.ending()).toMatchObject({ result: { device } });
  });
});
