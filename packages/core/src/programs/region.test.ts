import { describe, expect, it } from 'vitest';
import {
  type AttributeOptions,
  compileExplainer,
  createExplainer,
  type ExplainerSpec,
} from '../explainer.ts';
import { type ClassifierOptions, readClassifier } from '../model/classifier.ts';
import { float32, int64, row, sizeOf, type Tensor } from '../tensor.ts';
import { type Layer, networkOf, tinyImages, tinyNetwork, tinyShape } from '../testing/network.ts';
import { cpu } from '../testing/ort.ts';

const size = 6;
const waves = (shape: readonly number[]): Tensor<'float32'> =>
  float32(
    shape,
    Array.from({ length: sizeOf(shape) }, (_, i) => 0.6 * Math.sin(1.3 * i + 0.5)),
  );

type End = (layer: Layer, maps: string) => string;
/** `bottleneck` at half the size, `maps` [N, classes, 6, 6] by a transposed convolution, and what comes after. */
const segmenter = (end: End = (_, maps) => maps, { classes = 4, batch = -1 } = {}): Uint8Array =>
  networkOf(
    tinyShape,
    (layer, image, g) => {
      const weights = g.constant(waves([5, 2, 3, 3]), 'w');
      const down = layer('down', 'Conv', [image, weights], { pads: [1, 1, 1, 1], strides: [2, 2] });
      const up = g.constant(waves([5, classes, 2, 2]), 'up');
      const bottleneck = layer('bottleneck', 'Tanh', [down]);
      return end(layer, layer('maps', 'ConvTranspose', [bottleneck, up], { strides: [2, 2] }));
    },
    batch,
  );

const read = (bytes: Uint8Array, over: 'sum' | 'mean' = 'sum', options: ClassifierOptions = {}) =>
  readClassifier(bytes, { ...options, score: { type: 'region', over } });

async function explained(
  bytes: Uint8Array,
  spec: ExplainerSpec,
  targets: readonly number[],
  {
    regions,
    over,
    images = tinyImages(),
  }: Pick<AttributeOptions, 'regions'> & { over?: 'mean'; images?: Tensor<'float32'> } = {},
) {
  const explainer = await createExplainer(read(bytes, over), spec, cpu);
  try {
    return { ...(await explainer.attribute(images, targets, { regions })), layers: explainer.layers };
  } finally {
    await explainer.close();
  }
}

/** The maps of two images, [2, classes, 6, 6]. */
async function mapsOf(bytes: Uint8Array, classes: number): Promise<Float32Array[]> {
  const maps: Float32Array[] = [new Float32Array(classes * 36), new Float32Array(classes * 36)];
  for (let c = 0; c < classes; c++)
    for (let p = 0; p < 36; p++) {
      const weights = new Float32Array(72);
      weights[p] = 1;
      weights[36 + p] = 1;
      const explainer = cached ?? (await createExplainer(read(bytes), { method: 'fem' }, cpu));
      cached = explainer;
      const { scores } = await explainer.attribute(tinyImages(), [0, 0], {
        regions: float32([2, 6, 6], weights),
      });
      for (const n of [0, 1]) maps[n]![c * 36 + p] = scores.data[n * classes + c]!;
    }
  await cached?.close();
  cached = undefined;
  return maps;
}
let cached: Awaited<ReturnType<typeof createExplainer>> | undefined;

/** 1 where a class is the highest of the maps. */
const predictedAt = (maps: Float32Array, target: number, classes: number): number[] =>
  Array.from({ length: 36 }, (_, p) =>
    Number(
      Array.from({ length: classes }, (_, c) => maps[c * 36 + p]!).every((v) => v <= maps[target * 36 + p]!),
    ),
  );

const close = (a: Tensor<'float32'>, b: Tensor<'float32'>, digits = 4) => {
  expect(a.shape).toEqual(b.shape);
  a.data.forEach((value, i) => {
    expect(value).toBeCloseTo(b.data[i]!, digits);
  });
};
const box = float32(
  [2, size, size],
  Array.from({ length: 72 }, (_, i) => Number(i % 6 >= 2 && i % 36 < 24) * (i < 36 ? 1 : 0.5)),
);

describe('a region of a segmenter', () => {
  it('that is predicted is that of the maps themselves, and stays so in changed images', async () => {
    const maps = await mapsOf(segmenter(), 4);
    const free = await explained(segmenter(), { method: 'saliency' }, [-1, -1]);
    const counts = maps.map((own) => [0, 1, 2, 3].map((c) => predictedAt(own, c, 4).reduce((a, b) => a + b)));
    expect([0, 1].map((n) => Array.from(row(free.pixels!, n).data as Float32Array))).toEqual(counts);
    const targets = counts.map((own) => own.indexOf(Math.max(...own)));
    expect(free.targets).toEqual(targets);
    const said = float32(
      [2, size, size],
      targets.flatMap((target, n) => predictedAt(maps[n]!, target, 4)),
    );
    for (const method of [
      'saliency',
      'grad-cam',
      'occlusion',
      'integrated-gradients',
      'rise',
      'ablation-cam',
      'deep-lift',
    ]) {
      const predicted = await explained(segmenter(), { method }, targets);
      const given = await explained(segmenter(), { method }, targets, { regions: said });
      close(predicted.attribution, given.attribution);
      close(predicted.scores, given.scores);
    }
  });

  it('of integrated gradients adds up, which it would not over pixels that move with the image', async () => {
    const spec = { method: 'integrated-gradients', parameters: { n_steps: 200 } };
    const { convergenceDelta, scores } = await explained(segmenter(), spec, [-1, -1]);
    expect(Math.abs(scores.data[0]!)).toBeGreaterThan(0.1);
    for (const delta of convergenceDelta!) expect(Math.abs(delta)).toBeLessThan(1e-3);
  });

  it.each([
    'occlusion',
    'rise',
    'ablation-cam',
    'layer-conductance',
    'kernel-shap',
    'smooth-grad',
    'lrp',
    'layer-lrp',
    'deep-lift',
    'guided-backprop',
    'full-grad',
  ])('that is a box is explained as that part of the output is: %s', async (method) => {
    const images = row(tinyImages(), 0) as Tensor<'float32'>;
    const regions = row(box, 0) as Tensor<'float32'>;
    const byRegion = await explained(segmenter(), { method }, [1], { regions, images });
    const score = 'output:maps[1,0:4,2:6]';
    const explainer = await createExplainer(readClassifier(segmenter(), { score }), { method, score }, cpu);
    const byValue = await explainer.attribute(images, [0]);
    await explainer.close();
    expect(byRegion.scores.data[1]).toBeCloseTo(byValue.scores.data[0]!, 4);
    close(byRegion.attribution, byValue.attribution, 3);
  });

  it('counts each pixel as it says; the mean is the sum over how much counts', async () => {
    const maps = await mapsOf(segmenter(), 4);
    const { scores } = await explained(segmenter(), { method: 'saliency' }, [1, 1], { regions: box });
    const means = await explained(segmenter(), { method: 'saliency' }, [1, 1], {
      regions: box,
      over: 'mean',
    });
    maps.forEach((own, n) => {
      const weights = row(box, n).data as Float32Array;
      const sum = weights.reduce((all, weight, p) => all + weight * own[36 + p]!, 0);
      expect(scores.data[n * 4 + 1]).toBeCloseTo(sum, 4);
      expect(means.scores.data[n * 4 + 1]).toBeCloseTo(sum / weights.reduce((a, b) => a + b), 4);
    });
  });

  it('of each image is explained alone', async () => {
    const both = await explained(segmenter(), { method: 'grad-cam' }, [2, 1], { regions: box });
    const images = row(tinyImages(), 1) as Tensor<'float32'>;
    const regions = row(box, 1) as Tensor<'float32'>;
    const alone = await explained(segmenter(), { method: 'grad-cam' }, [1], { regions, images });
    close(alone.attribution, row(both.attribution, 1) as Tensor<'float32'>);
    expect(both.layers).toEqual(['bottleneck']);
  });

  it('of each image is explained alone by features that are found in each image', async () => {
    const spec = { method: 'feature-ablation', parameters: { segments: 'slic', n_segments: 4 } };
    const both = await explained(segmenter(), spec, [2, 1], { regions: box });
    for (const [n, target] of [2, 1].entries()) {
      const images = row(tinyImages(), n) as Tensor<'float32'>;
      const regions = row(box, n) as Tensor<'float32'>;
      const alone = await explained(segmenter(), spec, [target], { regions, images });
      close(row(both.scores, n) as Tensor<'float32'>, alone.scores);
      close(row(both.attribution, n) as Tensor<'float32'>, alone.attribution);
      close(row(both.pixels!, n) as Tensor<'float32'>, alone.pixels!);
    }
  });

  it.each<[string, End]>([
    ['classes last', (layer, maps) => layer('y', 'Transpose', [maps], { perm: [0, 2, 3, 1] })],
    [
      'the labels of the best class only',
      (layer, maps) => layer('y', 'ArgMax', [maps], { axis: 1, keepdims: 0 }),
    ],
    ['a softmax over the classes', (layer, maps) => layer('y', 'Softmax', [maps], { axis: 1 })],
    ['a sigmoid of each class', (layer, maps) => layer('y', 'Sigmoid', [maps])],
  ])('is the same where the model gives %s', async (_, end) => {
    const expected = await explained(segmenter(), { method: 'saliency' }, [-1, 3]);
    const found = await explained(segmenter(end), { method: 'saliency' }, [-1, 3]);
    close(found.attribution, expected.attribution);
    expect(found.targets).toEqual(expected.targets);
  });

  it('of what the model gives is explained with score output', async () => {
    const softmax = segmenter((layer, maps) => layer('y', 'Softmax', [maps], { axis: 1 }));
    const spec = { method: 'saliency', score: 'output' } as const;
    const { scores } = await explained(softmax, spec, [0, 0], { regions: box });
    // Probabilities of all classes add up to 1 at each pixel.
    expect(Array.from(row(scores, 0).data as Float32Array).reduce((a, b) => a + b)).toBeCloseTo(16, 3);
  });

  it('of one class is where its logit is above 0, or its probability above a half', async () => {
    const logits = segmenter(undefined, { classes: 1 });
    const [maps] = await mapsOf(logits, 1);
    const count = maps!.filter((value) => value > 0).length;
    expect(count).toBeGreaterThan(0);
    const plain = await explained(logits, { method: 'saliency' }, [0, 0]);
    const squashed = segmenter((layer, m) => layer('y', 'Sigmoid', [m]), { classes: 1 });
    const bounded = segmenter(
      (layer, m) => layer('y', 'Identity', [layer('z', 'Relu', [layer('p', 'Sigmoid', [m])])]),
      { classes: 1 },
    );
    for (const bytes of [squashed, bounded])
      expect((await explained(bytes, { method: 'saliency' }, [0, 0])).pixels!.data[0]).toBe(count);
    expect(plain.pixels!.data[0]).toBe(count);
  });

  it('is explained where a batch is baked in, by methods that are sampled too', async () => {
    for (const method of ['saliency', 'grad-cam', 'integrated-gradients', 'occlusion']) {
      const open = await explained(segmenter(), { method }, [-1, 1], { regions: box });
      const baked = await explained(segmenter(undefined, { batch: 3 }), { method }, [-1, 1], {
        regions: box,
      });
      close(baked.attribution, open.attribution);
    }
  });

  it.each([
    ['grad-cam', -1],
    ['grad-cam', 3],
    ['integrated-gradients', -1],
    ['rise', -1],
  ])('compiled is an input of the file: %s, batch %i', async (method, batch) => {
    const bytes = segmenter(undefined, { batch });
    const session = await cpu.load(compileExplainer(read(bytes), { method }));
    const predicted = float32([2, size, size], new Float32Array(72).fill(-1));
    for (const [regions, targets] of [
      [box, [2, -1]],
      [predicted, [-1, -1]],
    ] as const) {
      const made = await session.run({
        image: tinyImages(),
        class_index: int64([2], targets),
        region: regions,
      });
      const expected = await explained(bytes, { method }, targets, { regions });
      close(made.attribution as Tensor<'float32'>, expected.attribution, 3);
      expect(Array.from(made.target!.data as BigInt64Array, Number)).toEqual(expected.targets);
    }
    await session.close();
  });
});

describe('a region that cannot be explained is refused, with what there is', () => {
  const all = (value: number, shape = [2, size, size]) =>
    float32(shape, new Float32Array(sizeOf(shape)).fill(value));
  const ask = (targets: number[], regions?: Tensor<'float32'>, bytes = segmenter()) =>
    explained(bytes, { method: 'saliency' }, targets, { regions });

  it('of another size, without a pixel, with a weight below 0', async () => {
    await expect(ask([0, 0], all(1, [2, 3, 3]))).rejects.toThrow(
      'expected [2, 6, 6], a number for each pixel of the maps; got [2, 3, 3]',
    );
    await expect(ask([0, 0], all(0))).rejects.toThrow('it has no pixel of the maps');
    await expect(ask([0, 0], all(-0.5))).rejects.toThrow('expected weights from 0 on, or -1');
  });

  it('where the class is predicted nowhere', async () => {
    const one = box.data.map((_, i) => (i % 36 === 14 ? -1 : 0));
    const regions = float32([2, size, size], one);
    const { targets, pixels } = await ask([-1, -1], regions);
    expect(pixels!.data[targets[0]!]).toBe(1);
    const other = (targets[0]! + 1) % 4;
    await expect(ask([other, targets[1]!], regions)).rejects.toThrow(
      `region: the model predicts class ${other} at no pixel; it predicts class ${targets[0]} at 1; choose another class`,
    );
  });

  it('of a model without maps', async () => {
    expect(() => read(tinyNetwork())).toThrow(
      'a region needs an output [batch, classes, height, width], [batch, height, width, classes] or [batch, height, width]; output "logits" is [batch,3]',
    );
    const explainer = await createExplainer(readClassifier(tinyNetwork()), { method: 'saliency' }, cpu);
    await expect(explainer.attribute(tinyImages(), [0, 0], { regions: box })).rejects.toThrow(
      'output "logits" is explained as a whole',
    );
    await explainer.close();
  });
});
