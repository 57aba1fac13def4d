import { expect, it } from 'vitest';
import { createExplainer } from '../explainer.ts';
import { readClassifier } from '../index.ts';
import { readModel } from '../onnx/read.ts';
import { cpu, tinyImages, tinyNetwork, tinyShape } from '../testing/index.ts';
import { randomisableLayers, randomised } from './randomisation.ts';
import { rankCorrelation } from './rank-correlation.ts';

const bytes = tinyNetwork();
const weights = (model: Uint8Array, name: string) =>
  Array.from(readModel(model).graph.constants.get(name)!.data as Float32Array);

it('lists layers with weights from the scores down', () => {
  expect(randomisableLayers(bytes)).toEqual(['logits', 'c2', 'c1']);
});

it('changes the uppermost layers and leaves the others, more of them from step to step', () => {
  const [one, two] = [randomised(bytes, 1), randomised(bytes, 2)];
  expect(weights(one, 'w3')).not.toEqual(weights(bytes, 'w3'));
  expect(weights(one, 'b3')).not.toEqual(weights(bytes, 'b3'));
  for (const name of ['w1', 'b1', 'w2', 'b2']) expect(weights(one, name)).toEqual(weights(bytes, name));
  expect(weights(two, 'w3')).toEqual(weights(one, 'w3'));
  expect(weights(two, 'w2')).not.toEqual(weights(bytes, 'w2'));
  expect(weights(two, 'w1')).toEqual(weights(bytes, 'w1'));
});

it('draws noise of the weights’ own mean and deviation, by the seed', () => {
  const [noise, own] = [weights(randomised(bytes, 3, 5), 'w2'), weights(bytes, 'w2')];
  const spread = (values: number[]) => Math.hypot(...values) / Math.sqrt(values.length);
  expect(spread(noise) / spread(own)).toBeGreaterThan(0.8);
  expect(spread(noise) / spread(own)).toBeLessThan(1.2);
  expect(weights(randomised(bytes, 3, 5), 'w2')).toEqual(noise);
  expect(weights(randomised(bytes, 3, 6), 'w2')).not.toEqual(noise);
});

it('draws other noise for each layer, and for each weight of one', () => {
  const noisy = randomised(bytes, 3, 5);
  const standard = (name: string) => {
    const [values, own] = [weights(noisy, name), weights(bytes, name)];
    const mean = own.reduce((a, b) => a + b) / own.length;
    const deviation = Math.sqrt(own.reduce((a, b) => a + (b - mean) ** 2, 0) / own.length);
    return (values[0]! - mean) / deviation;
  };
  const firsts = ['w1', 'b1', 'w2', 'b2', 'w3', 'b3'].map((name) => standard(name).toFixed(3));
  expect(new Set(firsts).size).toBe(6);
});

it('K6: makes a model that can be explained, and whose saliency is another', async () => {
  const saliency = async (model: Uint8Array) => {
    const classifier = readClassifier(model, { inputShape: tinyShape });
    const explainer = await createExplainer(classifier, { method: 'saliency' }, cpu);
    const { attribution } = await explainer.attribute(tinyImages(), [0, 0]);
    await explainer.close();
    return attribution.data;
  };
  const own = await saliency(bytes);
  expect(rankCorrelation(own, await saliency(bytes))).toBeCloseTo(1, 9);
  expect(rankCorrelation(own, await saliency(randomised(bytes, 3)))).toBeLessThan(0.7);
});

it('refuses what is no model', () => {
  expect(() => randomised(Uint8Array.of(255, 255, 255), 1)).toThrow(/not an ONNX model/);
});
