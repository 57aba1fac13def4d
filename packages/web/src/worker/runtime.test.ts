import { createExplainer, float32, InputError, OutOfMemoryError, readClassifier } from '@whylight/core';
import { cpu, onnxFile, tinyImages, tinyNetwork, value } from '@whylight/core/testing';
import * as ort from 'onnxruntime-web';
import { expect, test } from 'vitest';
import { type OrtModule, runtimeOf } from './runtime.ts';

ort.env.wasm.numThreads = 1;
const atOnce = async () => undefined;
const wasm = runtimeOf(ort, { name: 'wasm' }, 2 ** 28, atOnce);

test('WebAssembly explains as ONNX Runtime on Node does', async () => {
  const of = async (runtime: typeof cpu) => {
    const explainer = await createExplainer(readClassifier(tinyNetwork()), { method: 'saliency' }, runtime);
    const { attribution } = await explainer.attribute(tinyImages(), [1, -1]);
    await explainer.close();
    return attribution;
  };
  const [here, there] = [await of(wasm), await of(cpu)];
  expect(here.shape).toEqual(there.shape);
  expect(Math.max(...here.data.map((v, i) => Math.abs(v - there.data[i]!)))).toBeLessThan(1e-6);
});

test('zeros around the input of a MaxPool are part of the input (decision 37)', async () => {
  const ints = (name: string, ...numbers: number[]) => ({ name, type: 7, ints: numbers.map(BigInt) });
  const file = onnxFile({
    node: [
      { opType: 'Relu', name: 'relu', input: ['x'], output: ['positive'] },
      { opType: 'Sub', name: 'sub', input: ['positive', 'four'], output: ['image'] },
      { opType: 'Pad', name: 'pad', input: ['image', 'pads', 'zero'], output: ['padded'] },
      {
        ...{ opType: 'MaxPool', name: 'pool', input: ['padded'], output: ['y'] },
        attribute: [ints('kernel_shape', 2, 2), ints('strides', 2, 2)],
      },
    ],
    initializer: [
      { name: 'pads', dataType: 7, dims: [8n], int64Data: [0n, 0n, 1n, 1n, 0n, 0n, 1n, 1n] },
      { name: 'zero', dataType: 1, floatData: [0] },
      { name: 'four', dataType: 1, floatData: [4] },
    ],
    input: [value('x', 1, 1, 2, 2)],
    output: [value('y', 1, 1, 2, 2)],
  });
  const session = await wasm.load(file);
  const { y } = await session.run({ x: float32([1, 1, 2, 2], [0, 0, 0, 0]) });
  await session.close();
  expect(Array.from(y!.data as Float32Array)).toEqual([0, 0, 0, 0]);
});

test('what ONNX Runtime refuses is an error of the input, in words', async () => {
  await expect(wasm.load(Uint8Array.of(1, 2, 3))).rejects.toBeInstanceOf(InputError);
});

/** An ONNX Runtime whose sessions are made by `create`. */
const fake = (create: (providers: readonly unknown[]) => Promise<unknown>): OrtModule =>
  ({
    ...{ Tensor: ort.Tensor, env: ort.env },
    InferenceSession: {
      create: (_: unknown, { executionProviders = [] }) => create(executionProviders),
    },
  }) as unknown as OrtModule;

test('a graph that WebGPU refuses runs on WebAssembly, and the runtime says so', async () => {
  const asked: unknown[] = [];
  const module = fake(async (providers) => {
    asked.push(...providers);
    if (providers.includes('webgpu')) throw new Error('unsupported data type');
    return { run: async () => ({}), release: async () => undefined };
  });
  const runtime = runtimeOf(module, { name: 'webgpu' }, 2 ** 28, atOnce);
  await runtime.load(tinyNetwork());
  expect(asked).toEqual(['webgpu', 'wasm']);
  expect([...runtime.fallenBack]).toEqual(['every operator of a graph that WebGPU refuses']);
});

test('a browser without memory is told apart from a wrong graph', async () => {
  const without = (error: unknown) =>
    runtimeOf(
      fake(async () => Promise.reject(error)),
      { name: 'wasm' },
      1,
      atOnce,
    ).load(tinyNetwork());
  await expect(without(new RangeError('Array buffer allocation failed'))).rejects.toBeInstanceOf(
    OutOfMemoryError,
  );
  await expect(without(new Error('std::bad_alloc'))).rejects.toBeInstanceOf(OutOfMemoryError);
  await expect(without(7_340_032)).rejects.toBeInstanceOf(InputError);
});
