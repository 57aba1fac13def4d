import { InputError, type Tensor, tensor } from '@whylight/core';
import { afterAll, describe, expect, test } from 'vitest';
import { ProviderUnavailableError } from './provider.ts';
import { createRuntime } from './runtime.ts';
import { tinyModel, unaryModel } from './tiny-model.ts';

const runtime = await createRuntime({ ep: 'cpu' });
const tiny = await runtime.load(tinyModel);
afterAll(() => tiny.close());

describe('the session', () => {
  test('runs the graph', async () => {
    const { y } = await tiny.run({ x: tensor('float32', [1], Float32Array.of(-3)) });
    expect(y).toEqual({ dtype: 'float32', shape: [1], data: Float32Array.of(0) });
  });

  const dtypes: [string, string, number, Tensor, Tensor['data']][] = [
    ['float16', 'Abs', 10, tensor('float16', [1], Uint16Array.of(0xc000)), Uint16Array.of(0x4000)],
    ['int64', 'Abs', 7, tensor('int64', [1], BigInt64Array.of(-5n)), BigInt64Array.of(5n)],
    ['bool', 'Not', 9, tensor('bool', [1], Uint8Array.of(1)), Uint8Array.of(0)],
    ['float64', 'Abs', 11, tensor('float64', [1], Float64Array.of(-2.5)), Float64Array.of(2.5)],
  ];
  test.each(dtypes)('takes and gives %s', async (dtype, op, elementType, x, expected) => {
    const session = await runtime.load(unaryModel(op, elementType));
    const { y } = await session.run({ x });
    expect(y).toEqual({ dtype, shape: [1], data: expected });
    await session.close();
  });

  test('says which input has which wrong shape', async () => {
    const run = tiny.run({ x: tensor('float32', [2], new Float32Array(2)) });
    await expect(run).rejects.toThrow(InputError);
    await expect(run).rejects.toThrow(/invalid dimensions for input: x .* Got: 2 Expected: 1/);
  });

  test('says which input is missing', async () => {
    await expect(tiny.run({})).rejects.toThrow(/input 'x' is missing/);
  });

  test('refuses what is not a graph', async () => {
    const load = runtime.load(tinyModel.subarray(0, 40));
    await expect(load).rejects.toMatchObject({ code: 'invalid_model' });
    await expect(load).rejects.toThrow(/protobuf parsing failed/);
  });

  test('is of no use once closed', async () => {
    const session = await runtime.load(tinyModel);
    await session.close();
    await expect(session.run({ x: tensor('float32', [1], Float32Array.of(1)) })).rejects.toThrow();
  });
});

describe('a provider that is not here', () => {
  const missing = (provider: 'cuda' | 'webgpu') =>
    createRuntime({ ep: provider }).then(
      () => null,
      (error: unknown) => error,
    );

  test.each(['cuda', 'webgpu'] as const)('%s: refused by name without paths, or present', async (ep) => {
    const error = await missing(ep);
    if (error === null) return expect((await createRuntime({ ep })).device).toBe(ep);
    expect(error).toBeInstanceOf(ProviderUnavailableError);
    const { message } = error as ProviderUnavailableError;
    expect(message).toMatch(
      new RegExp(`^execution provider ${ep} is not available: \\w.*Bundled: cpu, webgpu`),
    );
    expect(message).not.toMatch(/node_modules|onnxruntime_src|\n|::/);
  });

  test.each(['cuda', 'webgpu'] as const)('%s: the CPU stands in only when asked, and says so', async (ep) => {
    const { device, load } = await createRuntime({ ep, fallback: true });
    expect(device).toMatch(new RegExp(`^(${ep}|cpu \\(fallback from ${ep}: [^()]+\\))$`));
    const session = await load(tinyModel);
    const { y } = await session.run({ x: tensor('float32', [1], Float32Array.of(4)) });
    expect(y!.data[0]).toBe(4);
  });
});
