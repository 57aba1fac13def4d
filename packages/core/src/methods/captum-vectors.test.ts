import { describe, expect, it } from 'vitest';
import type { ExplainerSpec } from '../explainer.ts';
import { float32, int64, type Tensor } from '../tensor.ts';
import { multiLayer, oneConv, reluSum } from '../testing/captum-networks.ts';
import { counting, explain } from '../testing/explain.ts';
import { networkOf } from '../testing/network.ts';

// Values that Captum's own tests expect, which can be checked by hand.

const close = (values: readonly number[], digits = 4) => values.map((v) => expect.closeTo(v, digits));
const captum = (method: string, parameters = {}, layers: string[] = []): ExplainerSpec => ({
  method,
  convention: 'captum',
  parameters,
  layers,
});

describe('On the network of one convolution, counting up', () => {
  const at = async (spec: ExplainerSpec) => [
    ...(await explain(oneConv, spec, counting([1, 1, 4, 4]), [0])).attribution.data,
  ];

  it.each([
    ['guided-backprop', {}, [], [0, 1, 1, 1, 1, 3, 3, 2, 1, 3, 3, 2, 1, 2, 2, 1]],
    ['deconvolution', {}, [], [2, 3, 3, 1, 3, 5, 5, 2, 3, 5, 5, 2, 1, 2, 2, 1]],
    ['guided-grad-cam', {}, ['relu1'], [0, 0, 4, 4, 0, 0, 12, 8, 28, 84, 97.5, 65, 28, 56, 65, 32.5]],
  ] as const)('%s is what Captum tests for', async (method, parameters, layers, expected) => {
    expect(await at(captum(method, parameters, [...layers]))).toEqual(close(expected));
  });

  it('LRP as ε goes to 0 is input × gradient', async () => {
    const [relevance, product] = [await at(captum('lrp')), await at(captum('input-x-gradient'))];
    expect(relevance).toEqual(close(product));
  });
});

describe('On the network of two layers', () => {
  const point = float32([1, 3, 1, 1], [20, 50, 30]);
  const at = async (method: string, parameters: Record<string, unknown>, aux: Record<string, Tensor>) => {
    const { attribution } = await explain(multiLayer, captum(method, parameters), point, [0], { aux });
    return [...attribution.data];
  };
  const features = (ids: readonly number[]) => ({ feature_mask: int64([3, 1, 1], ids) });
  const orders = int64([6, 3], [0, 1, 2, 0, 2, 1, 1, 0, 2, 1, 2, 0, 2, 0, 1, 2, 1, 0]);

  it('feature ablation is what Captum tests for', async () => {
    expect(await at('feature-ablation', { baseline: 4 }, features([0, 0, 1]))).toEqual([248, 248, 104]);
  });

  it('Shapley values over all orders are what Captum tests for', async () => {
    expect(await at('shapley-sampling', {}, { ...features([0, 1, 2]), permutations: orders })).toEqual(
      close([76.6667, 196.6667, 116.6667], 3),
    );
    expect(
      await at('shapley-sampling', {}, { ...features([0, 0, 1]), permutations: int64([2, 2], [0, 1, 1, 0]) }),
    ).toEqual(close([275, 275, 115], 3));
  });

  it('Kernel SHAP over all sets comes to the Shapley values', async () => {
    const sets = Array.from({ length: 8 }, (_, s) => [s & 1, (s >> 1) & 1, (s >> 2) & 1]);
    const samples = int64([8, 3], sets.flat());
    const found = await at('kernel-shap', {}, { ...features([0, 1, 2]), samples });
    expect(found.reduce((a, b) => a + b)).toBeCloseTo(390, 1); // F(x) - F(0)
    expect(found).toEqual(close([76.6667, 196.6667, 116.6667], 1));
  });

  it('features may have any numbers', async () => {
    expect(await at('feature-ablation', { baseline: 4 }, features([7, 7, 40]))).toEqual([248, 248, 104]);
  });
});

describe('DeepLIFT', () => {
  it('on 2·ReLU(x₁) + 2·ReLU(x₂ - 1.5) is what Captum tests for, and adds up', async () => {
    const found = await explain(reluSum, { method: 'deep-lift' }, float32([1, 2, 1, 1], [1, 2]), [0]);
    expect([...found.attribution.data]).toEqual(close([2, 1]));
    expect(found.convergenceDelta![0]).toBeCloseTo(0, 6);
  });

  it('has Captum’s numbers where a pool follows an ELU, and a Hardswish that it has no rule for', async () => {
    const network = networkOf([1, 1, 4], (layer, x, g) => {
      const pool = layer('pool', 'MaxPool', [layer('elu', 'Elu', [x])], {
        kernel_shape: [1, 2],
        strides: [1, 2],
      });
      const tanh = layer('tanh', 'Tanh', [layer('swish', 'HardSwish', [pool])]);
      const weights = g.floats([2, 2], [1, 2, -1, 0.5]);
      return layer('scores', 'Gemm', [layer('flat', 'Flatten', [tanh]), weights], { transB: 1 });
    });
    const found = await explain(
      network,
      captum('deep-lift-shap', {}),
      float32([1, 1, 1, 4], [1, -0.5, 0.25, 2]),
      [0],
      {
        aux: { baselines: float32([1, 1, 1, 4], [0.5, 1.5, -1, 0.5]) },
      },
    );
    expect([...found.attribution.data]).toEqual(close([0.2059255689, 0, 0, 1.648033142]));
  });
});

describe('LRP', () => {
  /** Two linear layers without biases, 3 → 3 of 2 and 3 → 1 of 3, ReLU between; `corner` is the first weight. */
  const simple = (corner: number) =>
    networkOf([3, 1, 1], (layer, x, g) => {
      const weights = [corner, 2, 2, 2, 2, 2, 2, 2, 2];
      const hidden = layer('linear', 'Gemm', [layer('flat', 'Flatten', [x]), g.floats([3, 3], weights)], {
        transB: 1,
      });
      return layer('linear2', 'Gemm', [layer('relu', 'Relu', [hidden]), g.floats([3, 1], [3, 3, 3])]);
    });
  it.each([
    ['epsilon', 2, {}, [18, 36, 54]],
    ['gamma', -2, { gamma: 1 }, [28 / 3, 104 / 3, 52]],
    ['alpha1-beta0', -2, {}, [12, 33.6, 50.4]],
    ['identity', -2, { first: 1 }, [24, 36, 36]],
  ] as const)('by %s is what Captum tests for', async (rule, corner, parameters, expected) => {
    const spec = captum('lrp', { rule, ...parameters });
    const { attribution } = await explain(simple(corner), spec, float32([1, 3, 1, 1], [1, 2, 3]), [0]);
    expect([...attribution.data]).toEqual(close([...expected], 3));
  });
});
