import { describe, expect, it } from 'vitest';
import { createExplainer, type ExplainerSpec } from './explainer.ts';
import { readClassifier } from './model/classifier.ts';
import { softmax } from './softmax.ts';
import { parseTarget, type Target } from './targets.ts';
import { row } from './tensor.ts';
import { tinyImages, tinyNetwork } from './testing/network.ts';
import { cpu } from './testing/ort.ts';

const classifier = readClassifier(tinyNetwork());
const image = row(tinyImages(), 0);

async function explained(spec: ExplainerSpec, target: Target, images = image) {
  const explainer = await createExplainer(classifier, spec, cpu);
  try {
    return await explainer.attribute(
      images,
      Array.from({ length: images.shape[0]! }, () => target),
    );
  } finally {
    await explainer.close();
  }
}
const values = async (spec: ExplainerSpec, target: Target) => [
  ...(await explained(spec, target)).attribution.data,
];
const expectClose = (found: readonly number[], expected: readonly number[]) => {
  const scale = Math.max(...expected.map(Math.abs));
  found.forEach((v, i) => {
    expect(Math.abs(v - expected[i]!) / scale).toBeLessThan(3e-6);
  });
};

const linear: ExplainerSpec[] = [
  { method: 'saliency' },
  { method: 'integrated-gradients', parameters: { n_steps: 8 } },
  { method: 'occlusion', parameters: { sliding_window_shapes: [2, 3, 3], strides: [1, 2, 2] } },
  { method: 'deep-lift' },
];

describe('A target', () => {
  it.each([
    ['282', 282],
    ['predicted', -1],
    [
      '281+282',
      [
        { class: 281, weight: 1 },
        { class: 282, weight: 1 },
      ],
    ],
    [
      '281 - predicted',
      [
        { class: 281, weight: 1 },
        { class: -1, weight: -1 },
      ],
    ],
    ['-0', [{ class: 0, weight: -1 }]],
    ['long-haired cat', undefined],
    ['1-', undefined],
    ['-1', undefined],
    ['', undefined],
  ] as const)('is read from %j', (text, expected) => {
    expect(parseTarget(text)).toEqual(expected);
  });

  it.each(linear)(
    'of a sum and a difference of classes, by $method: the sum and difference',
    async (spec) => {
      const [zero, one, two] = await Promise.all([0, 1, 2].map((c) => values(spec, c)));
      expectClose(
        await values(spec, parseTarget('0+1')!),
        zero!.map((v, i) => v + one![i]!),
      );
      expectClose(
        await values(spec, parseTarget('2-1')!),
        two!.map((v, i) => v - one![i]!),
      );
      expectClose(
        await values(spec, parseTarget('-0')!),
        zero!.map((v) => -v),
      );
    },
  );

  it.each(linear)('may name the predicted class in a sum, by $method', async (spec) => {
    const { targets } = await explained(spec, -1);
    const best = targets[0]!;
    const other = (best + 1) % 3;
    const found = await explained(spec, parseTarget(`${other}-predicted`)!);
    expect(found.targets).toEqual([other]);
    expectClose([...found.attribution.data], await values(spec, parseTarget(`${other}-${best}`)!));
  });

  it('names classes that the model has, and for some methods one only', async () => {
    await expect(explained({ method: 'saliency' }, parseTarget('1+3')!)).rejects.toThrow(
      'class 3 does not exist: the model has classes 0 to 2',
    );
    await expect(explained({ method: 'saliency' }, [])).rejects.toThrow('names none');
    await expect(explained({ method: 'finer-cam' }, parseTarget('0+1')!)).rejects.toThrow(
      'finer-cam explains one class',
    );
  });
});

describe('A kind of score', () => {
  it('is what the gradient is of', async () => {
    const { logits } = await explained({ method: 'saliency' }, 0);
    const p = softmax(logits.data);
    const slopes = await Promise.all([0, 1, 2].map((c) => values({ method: 'saliency' }, c)));
    const mixed = (of: (c: number) => number) =>
      slopes[0]!.map((_, i) => [0, 1, 2].reduce((sum, c) => sum + of(c) * slopes[c]![i]!, 0));
    const hot = (c: number) => Number(c === 1);
    expectClose(
      await values({ method: 'saliency', score: 'softmax' }, 1),
      mixed((c) => p[1]! * (hot(c) - p[c]!)),
    );
    expectClose(
      await values({ method: 'saliency', score: 'log-softmax' }, 1),
      mixed((c) => hot(c) - p[c]!),
    );
    expectClose(
      await values({ method: 'saliency', score: 'rest' }, 1),
      mixed((c) => 2 * hot(c) - p[c]!),
    );
  });

  it('is what a sampled method evaluates, and what its sum is held against', async () => {
    const found = await explained(
      { method: 'integrated-gradients', parameters: { n_steps: 100 }, score: 'softmax' },
      1,
    );
    const zero = { ...image, data: image.data.map(() => 0) };
    const at = async (of: typeof image) =>
      softmax((await explained({ method: 'saliency' }, 1, of)).logits.data)[1]!;
    const sum = found.attribution.data.reduce((a, b) => a + b, 0);
    expect(sum - found.convergenceDelta![0]!).toBeCloseTo((await at(image)) - (await at(zero)), 5);
    expect(Math.abs(found.convergenceDelta![0]!)).toBeLessThan(1e-3);
  });

  it('is refused where a method has rules for logits only', async () => {
    await expect(explained({ method: 'lrp', score: 'softmax' }, 0)).rejects.toThrow(
      'lrp explains logits only, not the score "softmax"',
    );
  });
});
