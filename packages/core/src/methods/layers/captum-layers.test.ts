import { describe, expect, it } from 'vitest';
import type { AttributeOptions } from '../../explainer.ts';
import { float32, int64 } from '../../tensor.ts';
import { explain } from '../../testing/explain.ts';
import { waveNetwork as network, wave } from '../../testing/wave-network.ts';

// What Captum 0.8 gives at layers of a small network in PyTorch with these weights.

const image = wave([1, 1, 2, 4], 2);
const constant = [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5];
const twoBaselines = float32([2, 1, 2, 4], [...constant, ...wave([1, 2, 4], -1).data]);

async function expectAt(
  layer: string,
  method: string,
  parameters: Record<string, unknown>,
  aux: AttributeOptions['aux'],
  expected: readonly number[],
) {
  const spec = { method, convention: 'captum', parameters, layers: [layer] } as const;
  const { attribution } = await explain(network, spec, image, [1], { aux });
  const largest = Math.max(...expected.map(Math.abs));
  expect(attribution.shape[1]! * attribution.shape[2]! * attribution.shape[3]!).toBe(expected.length);
  for (const [i, value] of expected.entries())
    expect(Math.abs(attribution.data[i]! - value), `${i}`).toBeLessThan(1e-6 * largest);
}

describe('At a layer', () => {
  // A pool after the ReLU that is explained has its rule, where DeepLIFT at the image has the plain gradient.
  const relued = { 3: 1.138322, 5: -3.025965, 9: -1.449798, 14: 0.1088479 } as Record<number, number>;

  it.each([
    ['layer-deep-lift', { baseline: 0.5 }, {}, [-3.388504, 1.100262, -1.627211, 0.1482496]],
    [
      'layer-gradient-shap',
      { n_samples: 3 },
      {
        alphas: float32([3], [0.2, 0.9, 0.55]),
        baselines: twoBaselines,
        baseline_index: int64([3], [0, 1, 1]),
      },
      [-2.905119, 1.151009, -1.390661, 0.09571403],
    ],
    ['layer-feature-ablation', { layer_baseline: 0.25 }, {}, [-4.699607, 2.01612, -1.5367, 0.1405592]],
    [
      'layer-feature-ablation',
      { layer_baseline: 0.25 },
      { layer_mask: int64([2, 1, 2], [0, 0, 1, 0]) },
      [-2.542928, -2.542928, -1.5367, -2.542928],
    ],
    ['layer-lrp', {}, {}, [-5.234353, 2.27263, -1.627211, 0.1614282]],
    ['layer-lrp', { rule: 'gamma', gamma: 0.5, first: 2 }, {}, [-5.169912, 2.227377, -1.758144, 0.2101091]],
  ] as const)('%s %o is what Captum gives', (method, parameters, aux, expected) =>
    expectAt('pool', method, parameters, aux, expected),
  );

  it('DeepLIFT SHAP of a ReLU before a pool is what Captum gives', () =>
    expectAt(
      'relu',
      'layer-deep-lift-shap',
      {},
      { baselines: twoBaselines },
      Array.from({ length: 16 }, (_, i) => relued[i] ?? 0),
    ));
});
