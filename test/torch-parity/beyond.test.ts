import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import {
  createExplainer,
  type ExplainerSpec,
  float32,
  readClassifier,
  type ScoreSpec,
  type Tensor,
} from '@whylight/core';
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

interface RecordedRegion extends Recorded {
  readonly class: number;
  /** [x, y, width, height], or where the network predicts the class. */
  readonly region: readonly [number, number, number, number] | 'predicted';
  readonly over: 'sum' | 'mean';
  readonly pixels: number;
}

interface Network {
  readonly output: string;
  readonly regions: readonly RecordedRegion[];
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

interface Question extends Omit<ExplainerSpec, 'method'> {
  readonly reading: ScoreSpec | string;
  readonly target?: number;
  readonly regions?: Tensor<'float32'>;
}

/** Holds the second of two images to what was recorded. */
async function hold(name: string, question: Question, recorded: Recorded) {
  const { reading, target = 0, regions, ...spec } = question;
  const classifier = readClassifier(modelOf(name), { score: reading });
  const explained = async (method: string, more: Omit<ExplainerSpec, 'method'>) => {
    const explainer = await createExplainer(classifier, { ...spec, ...more, method }, cpu);
    const outcome = await explainer.attribute(images, [target, target], { regions });
    await explainer.close();
    return { ...outcome, layers: explainer.layers };
  };
  const saliency = await explained('saliency', { parameters: { abs: false } });
  expect((rowOf(saliency.scores, 1)[target]! - recorded.score) / recorded.score).toBeCloseTo(0, 5);
  const gradient = rowOf(saliency.attribution, 1);
  const errors = Object.entries(recorded.gradient).map(([k, v]) => Math.abs(gradient[Number(k)]! - v));
  expect(Math.max(...errors) / recorded.largest).toBeLessThan(1e-5);
  expect(Math.hypot(...gradient) / recorded.norm).toBeCloseTo(1, 5);
  const cam = await explained('grad-cam', { convention: 'pytorch-grad-cam' });
  expect(cam.layers[0]).toContain(layers[name]!);
  const map = rowOf(cam.attribution, 1).filter((_, i) => i % 3 === 0 && Math.trunc(i / size) % 3 === 0);
  const apart = Array.from(map, (value, i) => Math.abs(value - recorded.cam[i]!));
  expect(Math.max(...apart)).toBeLessThan(1e-5);
  return saliency;
}

const rowOf = ({ data, shape }: Tensor<'float32'>, n: number): Float32Array =>
  data.subarray((n * data.length) / shape[0]!, ((n + 1) * data.length) / shape[0]!);

describe(`numbers that are no class scores have the gradient and the Grad-CAM that PyTorch ${torch} recorded (beyond.py), ${JSON.stringify(libraries)}`, () => {
  const values = Object.entries(networks).flatMap(([name, { values }]) =>
    Object.entries(values).map(([score, recorded]) => [name, score, recorded] as const),
  );
  it.each(values)('%s, %s', async (name, score, recorded) => {
    await hold(name, { reading: score }, recorded);
  });

  const regions = Object.entries(networks).flatMap(([name, network]) =>
    network.regions.map(
      (recorded) => [name, recorded.class, recorded.over, recorded.region, recorded] as const,
    ),
  );
  it.each(regions)('%s, class %i, %s over %j', async (name, target, over, region, recorded) => {
    const weights = new Float32Array(2 * size * size).fill(region === 'predicted' ? -1 : 0);
    if (region !== 'predicted') {
      const [left, top, width, height] = region;
      for (let y = top; y < top + height; y++)
        for (let x = left; x < left + width; x++) weights[(size + y) * size + x] = 1;
      weights[0] = 1; // the other image has a region of its own
    }
    const asked = { target, regions: float32([2, size, size], weights) };
    const { pixels } = await hold(name, { reading: { type: 'region', over }, ...asked }, recorded);
    if (region === 'predicted') expect(rowOf(pixels!, 1)[target]).toBe(recorded.pixels);
  });
});
