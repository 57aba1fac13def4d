import { InputError, tensor } from '@whylight/core';
import { afterAll, expect, test } from 'vitest';
import { colourNetwork } from '../testing/network.ts';
import { ProviderUnavailableError } from './provider.ts';
import { createRuntime, DeviceError } from './runtime.ts';
import { createThreadedRuntime } from './threaded-runtime.ts';
import { tinyModel } from './tiny-model.ts';

const runtime = await createThreadedRuntime({ ep: 'cpu' });
afterAll(() => runtime.close());

const x = (...values: number[]) => ({ x: tensor('float32', [values.length], Float32Array.from(values)) });

/** Takes a good part of a second. */
const large = tensor('float32', [64, 3, 256, 256], new Float32Array(64 * 3 * 256 * 256));

test('runs graphs as the runtime in this thread does, of several sessions at once', async () => {
  const [one, other] = await Promise.all([runtime.load(tinyModel), runtime.load(colourNetwork({ side: 2 }))]);
  const input = tensor(
    'float32',
    [1, 3, 2, 2],
    Float32Array.from({ length: 12 }, (_, i) => i / 10),
  );
  const [relu, scores] = await Promise.all([one.run(x(-2)), other.run({ input })]);
  const here = await (await createRuntime({ ep: 'cpu' })).load(colourNetwork({ side: 2 }));
  expect(relu.y).toEqual(tensor('float32', [1], Float32Array.of(0)));
  expect(scores).toEqual(await here.run({ input }));
  expect(runtime.device).toBe('cpu');
  await Promise.all([one.close(), other.close(), here.close()]);
});

test('a tensor that shows a part of its memory arrives as that part', async () => {
  const session = await runtime.load(tinyModel);
  const { y } = await session.run({ x: tensor('float32', [1], Float32Array.of(1, 2, 3).subarray(1, 2)) });
  expect(y!.data[0]).toBe(2);
  await session.close();
});

test('this thread stays free while the other computes', async () => {
  const session = await runtime.load(colourNetwork({ side: 256 }));
  let turns = 0;
  let done = false;
  const run = session.run({ input: large });
  void run.finally(() => {
    done = true;
  });
  while (!done) {
    await new Promise((resolve) => setImmediate(resolve));
    turns++;
  }
  expect(turns).toBeGreaterThan(10);
  await session.close();
});

test('errors keep their class', async () => {
  await expect(runtime.load(tinyModel.subarray(0, 30))).rejects.toBeInstanceOf(InputError);
  const session = await runtime.load(tinyModel);
  await expect(session.run(x(1, 2))).rejects.toMatchObject({ code: 'invalid_model' });
  await session.close();
  const missing = await createThreadedRuntime({ ep: 'cuda' }).catch((error: unknown) => error);
  if (missing instanceof Error) expect(missing).toBeInstanceOf(ProviderUnavailableError);
  else await (missing as typeof runtime).close();
});

test('what waits when the thread ends is told so, and so is what comes after', async () => {
  const mortal = await createThreadedRuntime({ ep: 'cpu' });
  const [busy, session] = [await mortal.load(colourNetwork({ side: 256 })), await mortal.load(tinyModel)];
  const before = busy.run({ input: large }).catch((error: unknown) => error);
  const outcome = expect(session.run(x(1))).rejects.toBeInstanceOf(DeviceError);
  await mortal.close();
  await Promise.all([before, outcome]);
  await expect(session.run(x(1))).rejects.toThrow('the runtime has stopped');
  await session.close();
});
