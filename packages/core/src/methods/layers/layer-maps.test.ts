import { describe, expect, it } from 'vitest';
import type { AttributeOptions, ExplainerSpec } from '../../explainer.ts';
import { float32, int64, type Tensor } from '../../tensor.ts';
import { expectClose } from '../../testing/close.ts';
import { explain } from '../../testing/explain.ts';
import { tinyImages, tinyNetwork } from '../../testing/network.ts';
import { findMethod } from '../resolve.ts';

const images = tinyImages();
const at = async (spec: ExplainerSpec, image: Tensor<'float32'> = images, aux?: AttributeOptions['aux']) =>
  (await explain(tinyNetwork(), { layers: ['r1'], ...spec }, image, [0, 1], { aux })).attribution;

/** Of [N, C, h, w] as large as the image: ReLU(Σ_c), min-maxed, [N, h, w]. */
function mapOf({ shape, data }: Tensor<'float32'>): Tensor<'float32'> {
  const [rows, channels, h, w] = shape as [number, number, number, number];
  const maps = Array.from({ length: rows }, (_, n) => {
    const sums = Array.from({ length: h * w }, (_, i) =>
      Math.max(
        0,
        Array.from({ length: channels }, (_, c) => data[(n * channels + c) * h * w + i]!).reduce(
          (a, b) => a + b,
        ),
      ),
    );
    const [low, high] = [Math.min(...sums), Math.max(...sums)];
    return sums.map((v) => (v - low) / (high - low));
  });
  return float32([rows, h, w], maps.flat());
}

/** What Captum does, where the paper's convention has another default. */
const ofPaper: Readonly<Record<string, Record<string, unknown>>> = {
  'layer-lrp': { composite: 'epsilon', epsilon: 1e-9, stabilizer: 1e-9 },
};

describe('a map of what Captum gives at a layer is its sum over channels, rectified and scaled', () => {
  it.each([
    'layer-activation',
    'layer-conductance',
    'layer-deep-lift',
    'layer-deep-lift-shap',
    'layer-feature-ablation',
    'layer-gradient-shap',
    'layer-gradient-x-activation',
    'layer-integrated-gradients',
    'layer-lrp',
    'internal-influence',
  ])('%s', async (method) => {
    const parameters = method === 'layer-gradient-shap' ? { n_samples: 3, stdevs: 0.1, seed: 4 } : undefined;
    const captum = await at({ method, convention: 'captum', parameters });
    expect(findMethod(method).conventions).toContain('paper');
    expectClose(await at({ method, parameters: ofPaper[method] ?? parameters }), mapOf(captum));
  });
});

it('layer-gradient-shap: the gradient between baseline and image, times the way of the activations', async () => {
  const start = images.data.map((v, i) => 0.3 * v + 0.2 * Math.cos(i));
  const between = images.data.map((v, i) => start[i]! + 0.25 * (v - start[i]!));
  const [baseline, point] = [float32(images.shape, start), float32(images.shape, between)];
  const layers = ['c1'];
  const captum = (method: string, image: Tensor<'float32'>) =>
    at({ method, convention: 'captum', layers }, image);
  const [here, there] = [
    await captum('layer-activation', images),
    await captum('layer-activation', baseline),
  ];
  const [product, activation] = [
    await captum('layer-gradient-x-activation', point),
    await captum('layer-activation', point),
  ];
  for (const n of [0, 1]) {
    const one = (t: Tensor<'float32'>) =>
      t.data.slice((n * t.data.length) / 2, ((n + 1) * t.data.length) / 2);
    const aux = {
      noise: float32([1, 2, 6, 6], new Float32Array(72)),
      alphas: float32([1], [0.25]),
      baselines: float32([1, 2, 6, 6], one(baseline)),
      baseline_index: int64([1], [0]),
    };
    const spec = {
      method: 'layer-gradient-shap',
      convention: 'captum',
      layers,
      parameters: { n_samples: 1 },
    } as const;
    const image = float32([1, 2, 6, 6], one(images));
    const { attribution } = await explain(tinyNetwork(), spec, image, [n], { aux });
    const [p, a, x, b] = [product, activation, here, there].map(one) as [
      Float32Array,
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    expectClose(
      attribution,
      float32(
        [1, 3, 6, 6],
        p.map((v, i) => (v / a[i]!) * (x[i]! - b[i]!)),
      ),
    );
  }
});
