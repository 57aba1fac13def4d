import { describe, expect, it } from 'vitest';
import { InputError } from '../errors.ts';
import { compileExplainer, createExplainer, type ExplainerSpec } from '../explainer.ts';
import { inspectClassifier, readForReport } from '../inspect.ts';
import { methods } from '../methods/list.ts';
import { type ClassifierOptions, readClassifier } from '../model/classifier.ts';
import { float32, int64, row, sizeOf, type Tensor } from '../tensor.ts';
import { type Layer, networkOf, tinyImages, tinyNetwork, tinyShape } from '../testing/network.ts';
import { cpu } from '../testing/ort.ts';

/** Element i is 0.6·sin(1.3 i + 0.5). */
const waves = (shape: readonly number[]): Tensor<'float32'> =>
  float32(
    shape,
    Array.from({ length: sizeOf(shape) }, (_, i) => 0.6 * Math.sin(1.3 * i + 0.5)),
  );

/** A segmenter: half the size at `r` and `bottleneck`, and `masks` [N, 4, 6, 6] by a transposed convolution. */
const segmenter = (batch = -1): Uint8Array =>
  networkOf(
    tinyShape,
    (layer, image, g) => {
      const conv = (name: string, input: string, shape: readonly number[], strides: readonly number[]) =>
        layer(name, 'Conv', [input, g.constant(waves(shape), `${name}_w`)], { pads: [1, 1, 1, 1], strides });
      const r = layer('r', 'Relu', [conv('down', image, [3, 2, 3, 3], [2, 2])]);
      const bottleneck = layer('bottleneck', 'Relu', [conv('c', r, [5, 3, 3, 3], [1, 1])]);
      const up = g.constant(waves([5, 4, 2, 2]), 'up');
      return layer('masks', 'ConvTranspose', [bottleneck, up], { strides: [2, 2] });
    },
    batch,
  );

const withEnd = (
  end: (layer: Layer, image: string, g: Parameters<Parameters<typeof networkOf>[1]>[2]) => string,
) => networkOf(tinyShape, end);

function refusal(bytes: Uint8Array, options: ClassifierOptions): string {
  try {
    readClassifier(bytes, options);
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
  throw new Error('read');
}

async function explained(
  bytes: Uint8Array,
  spec: ExplainerSpec & { score: `output:${string}` },
  images = tinyImages(),
) {
  const classifier = readClassifier(bytes, { score: spec.score });
  const explainer = await createExplainer(classifier, spec, cpu);
  const outcome = await explainer.attribute(images, Array<number>(images.shape[0]!).fill(-1));
  await explainer.close();
  return outcome;
}

describe('a number that the network computes', () => {
  const score = 'output:masks[2,1:5,::2].mean' as const;

  it('is a number of each image alone', async () => {
    const classifier = readClassifier(segmenter(), { score: 'output:masks' });
    const explainer = await createExplainer(classifier, { method: 'saliency', score }, cpu);
    const both = await explainer.attribute(tinyImages(), [0, -1]);
    const alone = await explainer.attribute(row(tinyImages(), 1) as Tensor<'float32'>, [-1]);
    await explainer.close();
    expect(both.targets).toEqual([0, 0]);
    expect(both.probabilities).toBeNull();
    expect(both.scores.shape).toEqual([2, 1]);
    expect(alone.scores.data[0]).toBeCloseTo(both.scores.data[1]!, 5);
    expect(both.scores.data[0]).not.toBeCloseTo(both.scores.data[1]!, 2);
    const second = row(both.attribution, 1).data as Float32Array;
    alone.attribution.data.forEach((value, i) => {
      expect(value).toBeCloseTo(second[i]!, 5);
    });
  });

  it.each([score, 'output:masks.norm', 'output:masks[1].max', 'tensor:bottleneck[0:2]'] as const)(
    'has the gradient of central differences: %s',
    async (asked) => {
      const image = row(tinyImages(), 0) as Tensor<'float32'>;
      const spec = { method: 'saliency', parameters: { abs: false }, score: asked as typeof score };
      const { attribution } = await explained(segmenter(), spec, image);
      const classifier = readClassifier(segmenter(), { score: asked });
      const explainer = await createExplainer(classifier, { method: 'saliency' }, cpu);
      const h = 2e-3;
      const differences: number[] = [];
      for (let i = 0; i < image.data.length; i++) {
        const moved = [h, -h].flatMap((by) => Array.from(image.data, (v, k) => (k === i ? v + by : v)));
        const { scores } = await explainer.attribute(float32([2, ...tinyShape], moved), [0, 0]);
        differences.push((scores.data[0]! - scores.data[1]!) / (2 * h));
      }
      await explainer.close();
      const largest = Math.max(...differences.map(Math.abs));
      expect(largest).toBeGreaterThan(0.01);
      // float32 scores of about 1, 4e-3 apart: differences are that far from the slope.
      for (const [i, value] of differences.entries())
        expect(Math.abs(attribution.data[i]! - value)).toBeLessThan(1e-3 * largest + 1e-4);
    },
  );

  it('is what a method needs that needs a score; those that need classes, or another network, say so', async () => {
    const report = inspectClassifier(readClassifier(segmenter(), { score }));
    const refused = report.methods.filter(({ works }) => !works);
    const ofAttention = ['attention-rollout', 'chefer', 'gradient-rollout', 'le-grad'];
    expect(refused.map(({ id }) => id).sort()).toEqual([...ofAttention, 'finer-cam'].sort());
    for (const { id, reason } of refused)
      if (ofAttention.includes(id)) expect([id, reason]).toEqual([id, expect.stringContaining('attention')]);
    expect(refused.find(({ id }) => id === 'finer-cam')!.reason).toBe(
      'finer-cam compares a class with other classes, but the score "output:masks[2,1:5,::2].mean" is one number: use grad-cam',
    );
    for (const { id, works } of report.methods) {
      if (!works || id === 'cam') continue; // only its formula sees that there is no linear layer
      const { attribution, rowWarnings } = await explained(segmenter(), { method: id, score });
      const isEmpty = attribution.data.every((value) => value === attribution.data[0]);
      expect([id, isEmpty && rowWarnings.flat().length === 0]).toEqual([id, false]);
    }
    expect(methods.length - refused.length).toBeGreaterThan(45);
    await expect(explained(segmenter(), { method: 'cam', score })).rejects.toThrow('one linear layer');
  });

  it('of a map is explained at the encoder’s end, not at the map itself', async () => {
    const explainer = await createExplainer(
      readClassifier(segmenter(), { score: 'output:masks[2]' }),
      { method: 'grad-cam' },
      cpu,
    );
    expect(explainer.layers).toEqual(['bottleneck']);
    await explainer.close();
  });

  it('is computed where a batch is baked in', async () => {
    for (const method of ['saliency', 'occlusion', 'grad-cam', 'integrated-gradients']) {
      const [open, baked] = [
        await explained(segmenter(), { method, score }),
        await explained(segmenter(3), { method, score }),
      ];
      open.attribution.data.forEach((value, i) => {
        expect(baked.attribution.data[i]).toBeCloseTo(value, 4);
      });
    }
  });

  it.each(['grad-cam', 'integrated-gradients'])('compiles into one file: %s', async (method) => {
    const bytes = compileExplainer(readClassifier(segmenter(), { score }), { method });
    const session = await cpu.load(bytes);
    const made = await session.run({ image: tinyImages(), class_index: int64([2], [-1, 0]) });
    await session.close();
    const { attribution, scores } = await explained(segmenter(), { method, score });
    const [found, expected] = [made.attribution!.data as Float32Array, attribution.data];
    expected.forEach((value, i) => {
      expect(found[i]).toBeCloseTo(value, 5);
    });
    expect(made.logits!.shape).toEqual(scores.shape);
    expect(Array.from(made.logits!.data as Float32Array, (v) => v.toFixed(4))).toEqual(
      Array.from(scores.data, (v) => v.toFixed(4)),
    );
  });

  it('of a classifier is that of its class', async () => {
    const spec = { method: 'grad-cam' };
    const byClass = await createExplainer(readClassifier(tinyNetwork()), spec, cpu);
    const expected = await byClass.attribute(tinyImages(), [1, 1]);
    await byClass.close();
    const { attribution } = await explained(tinyNetwork(), { ...spec, score: 'output:logits[1]' });
    attribution.data.forEach((value, i) => {
      expect(value).toBeCloseTo(expected.attribution.data[i]!, 5);
    });
  });
});

describe('a score that cannot be explained is refused, with what there is', () => {
  it.each([
    ['output:mask[0]', 'the model has no output "mask"; did you mean "masks"?'],
    ['output:bottleneck', 'the model has no output "bottleneck"; the last are "masks"'],
    ['tensor:botleneck.max', 'the model has no tensor "botleneck"; did you mean "bottleneck"?'],
    ['output:masks.median', 'the model has no output "masks.median"'],
    ['output:masks[4]', 'index 4 is out of range: expected -4 to 3'],
    ['output:', 'expected output:NAME[INDEX].REDUCTION or tensor:NAME[INDEX].REDUCTION'],
  ])('%s', (asked, message) => {
    expect(refusal(segmenter(), { score: asked })).toContain(message);
  });

  it('whole numbers', () => {
    const bytes = withEnd((layer, image) => layer('best', 'ArgMax', [image], { axis: 1, keepdims: 1 }));
    expect(refusal(bytes, { score: 'output:best' })).toMatch(
      /^score "output:best.sum": the value is int64: whole numbers and truth values do not change little by little/,
    );
  });

  it('what is the same for every image', async () => {
    const bytes = withEnd((layer, image, g) => {
      const nothing = layer('nothing', 'Shape', [image]);
      return layer('zeros', 'ConstantOfShape', [nothing], {
        value: { tensor: { ...float32([1], [0]), data: Float32Array.of(g.nodes.length * 0) } },
      });
    });
    await expect(explained(bytes, { method: 'saliency', score: 'output:zeros' })).rejects.toThrow(
      'the value is the same for every image',
    );
  });

  it('a value without a row for each image', () => {
    const bytes = withEnd((layer, image, g) =>
      layer('all', 'ReduceSum', [image, g.ints([0])], { keepdims: 0 }),
    );
    expect(refusal(bytes, { score: 'output:all' })).toContain(
      'expected one row for each image; the value is [2, 6, 6]',
    );
  });

  it('what an image changes by whole numbers only has no gradient, and every answer says so', async () => {
    const bytes = withEnd((layer, image) =>
      layer('classes', 'Cast', [layer('best', 'ArgMax', [image], { axis: 1, keepdims: 1 })], { to: 1 }),
    );
    const { warnings } = await explained(bytes, { method: 'saliency', score: 'output:classes' });
    expect(warnings.map(({ code }) => code)).toContain('score_without_gradient');
    expect(warnings.map(({ code }) => code)).toContain('degenerate_attribution');
  });
});

describe('a report on a model that scores no classes', () => {
  it('says what its outputs give and how to ask for a number of them', () => {
    const read = readForReport(segmenter());
    const { scores, seen, notes, recommended } = inspectClassifier(read);
    expect(scores).toEqual([
      {
        name: 'masks',
        dtype: 'float32',
        shape: ['batch', 4, 6, 6],
        purpose: 'segmentation',
        meaning: 'a map of 6x6 for each of 4 classes',
        score: 'output:masks[0].sum',
      },
    ]);
    expect(seen).toEqual({
      purpose: 'segmentation',
      why: 'output "masks" [batch, 4, 6, 6] gives a map of 6x6 for each of 4 classes',
    });
    expect(notes[0]).toMatch(
      /^no output scores classes: .*; this report is about the score output:masks\[0\]\.sum/,
    );
    expect(recommended).toContain('grad-cam');
  });

  it.each([
    ['points', [5, 2], 'key-points', 'output:y[0,0].sum'],
    ['points', [20, 3], 'key-points', 'output:y[0,0].sum'],
    ['candidates', [300, 85], 'detection', 'output:y[0,4].sum'],
    ['candidates', [84, 300], 'detection', 'output:y[4,0].sum'],
    ['classes last', [8, 8, 3], 'segmentation', 'output:y[:,:,0].sum'],
    ['one map', [1, 8, 8], 'segmentation', 'output:y.sum'],
  ] as const)('%s [%s]', (_, shape, purpose, score) => {
    const bytes = withEnd((layer, image, g) => {
      const flat = layer('flat', 'Flatten', [image]);
      const many = layer('many', 'MatMul', [flat, g.constant(waves([72, sizeOf(shape)]), 'w')]);
      return layer('y', 'Reshape', [many, g.ints([-1, ...shape])]);
    });
    const { seen, scores } = inspectClassifier(readForReport(bytes));
    expect([seen.purpose, scores[0]!.score]).toEqual([purpose, score]);
  });

  it('of a classifier is as it was, and lists its output', () => {
    const { scores, seen, notes } = inspectClassifier(readForReport(tinyNetwork()));
    expect([seen.purpose, scores[0]!.meaning, notes]).toEqual(['classification', 'scores of 3 classes', []]);
  });
});
