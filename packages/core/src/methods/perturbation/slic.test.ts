import { describe, expect, it } from 'vitest';
import { compileExplainer, createExplainer } from '../../explainer.ts';
import { readClassifier } from '../../model/classifier.ts';
import { float32, int64 } from '../../tensor.ts';
import { explain } from '../../testing/explain.ts';
import { networkOf } from '../../testing/network.ts';
import { cpu } from '../../testing/ort.ts';
import { slic } from './slic.ts';
import vectors from './slic-vectors.json' with { type: 'json' };

// What scikit-image 0.26 makes of photos: recorded by test/parity/scikit-image/record.py.

const bytes = (text: string) => Uint8Array.from(Buffer.from(text, 'base64'));
const cases = vectors.cases.map(
  ({ photo, height, width, channels, n_segments: segments, compactness, pixels, labels }) => ({
    name: `${photo} of ${width} by ${height}, ${channels} channels, ${segments} segments, compactness ${compactness}`,
    pixels: { height, width, channels, data: Float64Array.from(bytes(pixels), (v) => v / 255) },
    options: { segments, compactness },
    labels: Array.from(bytes(labels)),
  }),
);

describe('SLIC', () => {
  it.each(cases.map((one) => [one.name, one] as const))(
    'has the labels of scikit-image: %s',
    (_, { pixels, options, labels }) => {
      expect(Array.from(slic(pixels, options))).toEqual(labels);
    },
  );
});

describe('Superpixels as features', () => {
  const [first] = cases as [(typeof cases)[number], ...typeof cases];
  const { height, width } = first.pixels;
  const normalisation = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
  const network = networkOf([3, height, width], (layer, image, g) => {
    const weights = g.floats(
      [2, 3, 3, 3],
      Float32Array.from({ length: 54 }, (_, i) => Math.sin(1.7 * i)),
    );
    const maps = layer('maps', 'Relu', [layer('conv', 'Conv', [image, weights], { strides: [2, 2] })]);
    const flat = layer('flat', 'Flatten', [layer('pool', 'GlobalAveragePool', [maps])]);
    return layer('scores', 'Gemm', [flat, g.floats([2, 2], [1, -1, 0.5, 2])]);
  });
  /** The photo as the network takes it, and its mirror image. */
  const input = (mirrored: boolean): number[] =>
    [0, 1, 2].flatMap((c) =>
      Array.from({ length: height * width }, (_, i) => {
        const pixel = mirrored ? i - (i % width) + width - 1 - (i % width) : i;
        return (first.pixels.data[pixel * 3 + c]! - normalisation.mean[c]!) / normalisation.std[c]!;
      }),
    );
  const photo = float32([1, 3, height, width], input(false));
  const both = float32([2, 3, height, width], [...input(false), ...input(true)]);
  const segments = { segments: 'slic' };

  it.each([
    ['feature-ablation', {}],
    ['kernel-shap', { n_samples: 90 }],
    ['lime', { n_samples: 90, alpha: 1e-5 }],
    ['shapley-sampling', { n_samples: 2 }],
  ])('of %s are those that scikit-image finds in the photo', async (method, few) => {
    const feature_mask = int64([height, width], first.labels);
    const given = await explain(network, { method, parameters: few }, photo, [1], {
      aux: { feature_mask },
    });
    const spec = { method, normalisation, parameters: { ...few, ...segments } };
    const found = await explain(network, spec, photo, [1]);
    expect(found.attribution.data).toEqual(given.attribution.data);
    expect(new Set(found.attribution.data).size).toBeGreaterThan(10);
  });

  it('are found in each image of a batch', async () => {
    const explainer = await createExplainer(
      readClassifier(network),
      { method: 'feature-ablation', normalisation, parameters: segments },
      cpu,
    );
    const seen: [number, number][] = [];
    const found = await explainer.attribute(both, [0, 1], {
      onProgress: (done, total) => {
        seen.push([done, total]);
      },
    });
    const alone = await explainer.attribute(photo, [0]);
    await explainer.close();
    expect(found.attribution.shape).toEqual(both.shape);
    expect(found.attribution.data.slice(0, photo.data.length)).toEqual(alone.attribution.data);
    expect(new Set(found.attribution.data.slice(photo.data.length)).size).toBeGreaterThan(10);
    expect(found.targets).toEqual([0, 1]);
    expect(found.logits.shape).toEqual([2, 2]);
    expect(seen.at(-1)![0]).toBe(seen.at(-1)![1]);
    expect(seen.map(([done]) => done)).toEqual(seen.map(([done]) => done).toSorted((a, b) => a - b));
  });

  it('are not in a compiled explainer, which says so', () => {
    const spec = { method: 'lime', parameters: segments };
    expect(() => compileExplainer(readClassifier(network), spec)).toThrow(/compile it with segments=grid/);
  });
});
