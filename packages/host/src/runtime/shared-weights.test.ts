import { createExplainer, float32, type GraphFile, type Runtime, readClassifier } from '@whylight/core';
import { networkOf } from '@whylight/core/testing';
import { expect, test } from 'vitest';
import { createRuntime } from './runtime.ts';
import { withSharedWeights } from './shared-weights.ts';
import { createThreadedRuntime } from './threaded-runtime.ts';

/** With a weight of 1.2 MB, which lies beside its graphs. */
const network = networkOf([3, 16, 16], (layer, image, g) => {
  const wave = (...shape: number[]) =>
    g.constant(
      float32(
        shape,
        Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(i) / 10),
      ),
    );
  const map = layer('map', 'Relu', [
    layer('conv', 'Conv', [image, wave(8, 3, 3, 3)], { pads: [1, 1, 1, 1] }),
  ]);
  const flat = layer('flat', 'Flatten', [map]);
  return layer('scores', 'MatMul', [flat, wave(2048, 160)]);
});
const image = float32(
  [1, 3, 16, 16],
  Float32Array.from({ length: 768 }, (_, i) => Math.cos(i)),
);

const viewed = (file: GraphFile) => Array.from(file.weights.values(), ({ buffer }) => buffer);

test('graphs of one network have one copy of its weights for another thread', () => {
  const memory = new Uint8Array(64).map((_, i) => i);
  const graph = (from: number, to: number): GraphFile => ({
    bytes: new Uint8Array(1),
    weights: new Map([['w', memory.subarray(from, to)]]),
  });
  const [one, other] = [withSharedWeights(graph(0, 16)), withSharedWeights(graph(8, 64))];
  expect(viewed(one)[0]).toBeInstanceOf(SharedArrayBuffer);
  expect(viewed(other)).toEqual(viewed(one));
  expect(viewed(other)[0]).toBe(viewed(one)[0]);
  expect([...other.weights.get('w')!]).toEqual([...memory.subarray(8, 64)]);
  expect(viewed(withSharedWeights(one))[0]).toBe(viewed(one)[0]);
});

test('a thread explains from shared weights what this one does from its own', async () => {
  const threaded = await createThreadedRuntime({ ep: 'cpu' });
  const attribution = async (runtime: Runtime) => {
    const explainer = await createExplainer(readClassifier(network), { method: 'saliency' }, runtime);
    const { attribution } = await explainer.attribute(image, [3]);
    await explainer.close();
    return attribution;
  };
  const there = await attribution(threaded);
  expect(there.data.filter((v) => v !== 0).length).toBeGreaterThan(100);
  expect(there).toEqual(await attribution(await createRuntime({ ep: 'cpu' })));
  await threaded.close();
});
