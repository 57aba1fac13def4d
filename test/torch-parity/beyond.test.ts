import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { createExplainer, type ExplainerSpec, float32, readClassifier, type Tensor } from '@whylight/core';
import { cpu } from '@whylight/core/testing';
import { describe, expect, it } from 'vitest';

interface Recorded {
  readonly score: number;
  /** Of the whole gradient: its largest element, and its Euclidean norm. */
  readonly largest: number;
  readonly norm: number;
  /** Elements of the gradient by position. */
  readonly gradient: Readonly<Record<string, number>>;
  /** Every third row and column of pytorch-grad-cam's Grad-CAM. */
  readonly cam: readonly number[];
}

interface Network {
  readonly output: string;
  readonly values: Readonly<Record<string, Recorded>>;
}

const folder = join(import.meta.dirname, 'recorded');
const { torch, networks, ...libraries }: { torch: string; networks: Record<string, Network> } = JSON.parse(
  readFileSync(join(folder, 'beyond.json'), 'utf8'),
);
const modelOf = (name: string) => gunzipSync(readFileSync(join(folder, `${name}.onnx.gz`)));

const size = 24;
const one = Float32Array.from(
  { length: 3 * size * size },
  (_, i) => Math.sin(0.37 * i) + Math.cos(0.11 * i * i) / 2,
);
/** The recorded image, and another one in front of it: what is said of an image does not depend on its neighbours. */
const images = float32([2, 3, size, size], [...one.map((v) => v / 2 + 0.3), ...one]);

/** The layers that the recorded Grad-CAM looks at, by a part of their names. */
const layers: Readonly<Record<string, string>> = {
  unet: '/bottleneck/',
  binary: '/bottleneck/',
  deeplab: '/encoder/encoder.2/',
  classes_last: '/encoder/encoder.2/',
  points: '/body/body.1/',
  embedding: '/body/body.1/',
};

/** Holds the second of two images to what was recorded. */
async function hold(
  bytes: Uint8Array,
  spec: Omit<ExplainerSpec, 'method'>,
  recorded: Recorded,
  layer: string,
) {
  const classifier = readClassifier(bytes, spec.score === undefined ? {} : { score: spec.score });
  const explained = async (method: string, more: Omit<ExplainerSpec, 'method'>) => {
    const explainer = await createExplainer(classifier, { ...spec, ...more, method }, cpu);
    const outcome = await explainer.attribute(images, [0, 0]);
    await explainer.close();
    return { ...outcome, layers: explainer.layers };
  };
  const saliency = await explained('saliency', { parameters: { abs: false } });
  expect(saliency.scores.data[1]! / recorded.score).toBeCloseTo(1, 5);
  const gradient = rowOf(saliency.attribution, 1);
  const errors = Object.entries(recorded.gradient).map(([k, v]) => Math.abs(gradient[Number(k)]! - v));
  expect(Math.max(...errors) / recorded.largest).toBeLessThan(1e-5);
  expect(Math.hypot(...gradient) / recorded.norm).toBeCloseTo(1, 5);
  const cam = await explained('grad-cam', { convention: 'pytorch-grad-cam' });
  expect(cam.layers[0]).toContain(layer);
  const map = rowOf(cam.attribution, 1).filter((_, i) => i % 3 === 0 && Math.trunc(i / size) % 3 === 0);
  const apart = Array.from(map, (value, i) => Math.abs(value - recorded.cam[i]!));
  expect(Math.max(...apart)).toBeLessThan(1e-5);
}

const rowOf = ({ data, shape }: Tensor<'float32'>, n: number): Float32Array =>
  data.subarray((n * data.length) / shape[0]!, ((n + 1) * data.length) / shape[0]!);

describe(`numbers that are no class scores have the gradient and the Grad-CAM that PyTorch ${torch} recorded (beyond.py), ${JSON.stringify(libraries)}`, () => {
  const values = Object.entries(networks).flatMap(([name, { values }]) =>
    Object.entries(values).map(([score, recorded]) => [name, score as `output:${string}`, recorded] as const),
  );
  it.each(values)('%s, %s', async (name, score, recorded) => {
    await hold(modelOf(name), { score }, recorded, layers[name]!);
  });
});
