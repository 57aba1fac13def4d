import { describe, expect, it } from 'vitest';
import { createExplainer, type ExplainerSpec } from './explainer.ts';
import { minMaxed } from './methods/shared/cam.ts';
import { readClassifier } from './model/classifier.ts';
import { Expression } from './onnx/expression.ts';
import { newGraph } from './operators/new-graph.ts';
import { built } from './programs/built.ts';
import type { Target } from './targets.ts';
import { float32, row } from './tensor.ts';
import { type Body, headImages, headNetwork } from './testing/heads.ts';
import { networkOf } from './testing/network.ts';
import { cpu } from './testing/ort.ts';

async function explained(bytes: Uint8Array, spec: ExplainerSpec, images = headImages, target: Target = 0) {
  const explainer = await createExplainer(readClassifier(bytes), spec, cpu);
  const found = await explainer.attribute(
    images,
    Array.from({ length: images.shape[0]! }, () => target),
  );
  await explainer.close();
  return found;
}
const codes = (rows: readonly (readonly { code: string }[])[]) =>
  rows.map((row) => row.map(({ code }) => code));

/** The mean of each channel of ReLU(image), times `factors`, plus `bias`: class c is channel c. */
const means = (factors: readonly number[], bias: readonly number[] = [0, 0]) =>
  networkOf([2, 4, 4], (layer, image, g) => {
    const same = g.constant(float32([2, 2, 1, 1], [1, 0, 0, 1]), 'same');
    const pooled = layer('flat', 'Flatten', [
      layer('pool', 'GlobalAveragePool', [layer('map', 'Relu', [layer('c', 'Conv', [image, same])])]),
    ]);
    const scaled = layer('scaled', 'Mul', [pooled, g.constant(float32([1, 2], factors), 'factors')]);
    return layer('logits', 'Add', [scaled, g.constant(float32([1, 2], bias), 'bias')]);
  });
/** Of three images, channel 0 is seen in the middle one only. */
const sparse = float32(
  [3, 2, 4, 4],
  Float32Array.from({ length: 96 }, (_, i) =>
    Math.floor(i / 16) === 2 || i % 32 >= 16 ? 1 + Math.sin(i) : 0,
  ),
);

describe('M4: an empty or nearly empty map is said, row by row, with its cause and a way out', () => {
  it('one full row hides no empty one', async () => {
    const { rowWarnings, warnings, attribution } = await explained(
      means([1, 1]),
      { method: 'grad-cam' },
      sparse,
    );
    expect(codes(rowWarnings)).toEqual([['degenerate_attribution'], [], ['degenerate_attribution']]);
    expect(Math.max(...row(attribution, 1).data)).toBe(1);
    expect(warnings.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^image 0: the attribution is the same everywhere; .*try another layer/),
      expect.stringMatching(/^image 2: /),
    ]);
  });

  it('a saturated score is the cause, and the logit the way out', async () => {
    const sure = headNetwork((b: Body) => [
      b.of('Softmax', [b.of('Mul', [b.scores(3), b.g.floats([1, 3], [40, 40, 40])])], { axis: 1 }),
    ]);
    const top = await explained(sure, { method: 'saliency', score: 'probability' }, headImages, -1);
    const messages = top.rowWarnings.flat().map(({ message }) => message);
    expect(messages.length).toBeGreaterThan(0);
    for (const message of messages)
      expect(message).toMatch(
        /nearly empty: .*saturated at 1\.0: explain the logit \(score logit\)|same everywhere.*saturated/,
      );
    const logits = await explained(sure, { method: 'saliency' }, headImages, -1);
    expect(codes(logits.rowWarnings)).toEqual([[], [], []]);
  });

  it('a small map is min-maxed as it is, its scale is given, and rounding is empty', async () => {
    const full = await explained(means([1, 1]), { method: 'grad-cam' }, row(sparse, 1));
    const small = await explained(means([1e-8, 1]), { method: 'grad-cam' }, row(sparse, 1));
    expect(Math.max(...small.attribution.data)).toBe(1);
    small.attribution.data.forEach((v, i) => {
      expect(v).toBeCloseTo(full.attribution.data[i]!, 5);
    });
    expect(small.scale![0]! / full.scale![0]!).toBeCloseTo(1e-8, 13);
    const even = float32(
      [1, 2, 4, 4],
      Array.from({ length: 32 }, (_, i) => 1 + (i % 2) * 2 ** -23),
    );
    const rounding = await explained(means([1, 1]), { method: 'grad-cam' }, even);
    expect(Math.max(...rounding.attribution.data)).toBe(0);
    expect(codes(rounding.rowWarnings)).toEqual([['degenerate_attribution']]);
    const sampled = await explained(means([1e-8, 1]), { method: 'score-cam' }, row(sparse, 1));
    expect(sampled.scale).toHaveLength(1);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])(
    'E8: %s in a map is not taken for nothing',
    async (value) => {
      const g = newGraph(17);
      const map = g.input('map', 'float32', [-1, 2, 2]);
      const maps = new Expression(g, map);
      const session = await cpu.load(built(g, { scaled: minMaxed(maps, maps).name }).bytes);
      const { scaled } = await session.run({ map: float32([1, 2, 2], [0, 1, value, 2]) });
      await session.close();
      expect([...(scaled!.data as Float32Array)].every(Number.isFinite)).toBe(false);
    },
  );

  it('Ablation-CAM at score 0 harms its own row only', async () => {
    const found = await explained(means([1, 1]), { method: 'ablation-cam' }, sparse);
    expect(codes(found.rowWarnings)).toEqual([['degenerate_attribution'], [], ['degenerate_attribution']]);
    expect(found.rowWarnings[0]![0]!.message).toContain('the score is 0, and ablation-cam divides by it');
    const alone = await explained(means([1, 1]), { method: 'ablation-cam' }, row(sparse, 1));
    expect([...row(found.attribution, 1).data]).toEqual([...alone.attribution.data]);
  });
});

describe('a model of one output', () => {
  const one = headNetwork((b) => [b.of('Sigmoid', [b.scores(1)])]);
  const age = headNetwork((b) => [b.named('age', b.scores(1))]);

  it('has another RISE map for another image, of the probability or the number itself', async () => {
    for (const bytes of [one, age]) {
      const spec = { method: 'rise', parameters: { n_masks: 60, cells: 2, normalized: false } };
      const { attribution } = await explained(bytes, spec);
      const spread = (n: number) =>
        Math.max(...row(attribution, n).data) - Math.min(...row(attribution, n).data);
      expect([...row(attribution, 0).data]).not.toEqual([...row(attribution, 1).data]);
      const drawn = await explained(bytes, { ...spec, score: 'logit' });
      const same = [...drawn.attribution.data].every((v, i) => v === attribution.data[i]);
      expect(same).toBe(bytes === age);
      expect(spread(0)).toBeGreaterThan(0);
    }
  });

  it('is refused by a method that tells a class from others, by name', async () => {
    await expect(explained(one, { method: 'finer-cam' })).rejects.toThrow(
      'finer-cam compares a class with other classes, but the model has only one output',
    );
  });
});

describe('under the convention of a library', () => {
  it('what the model gives is explained, unless another score is asked for', async () => {
    const bytes = headNetwork((b) => [b.of('Softmax', [b.scores(3)], { axis: 1 })]);
    const of = async (spec: Partial<ExplainerSpec>) => [
      ...(await explained(bytes, { method: 'saliency', parameters: { abs: false }, ...spec })).attribution
        .data,
    ];
    expect(await of({ convention: 'captum' })).toEqual(await of({ score: 'output' }));
    expect(await of({ convention: 'captum', score: 'logit' })).toEqual(await of({}));
    expect(await of({ convention: 'captum' })).not.toEqual(await of({}));
  });
});
