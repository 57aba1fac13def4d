import type { ExplainerSpec } from '../explainer.ts';
import { methods } from '../methods/index.ts';
import { tinyNetwork } from './network.ts';
import { tinyTransformer } from './transformer.ts';

/** Parameters that suit images of 6 by 6. */
const small: Readonly<Record<string, Record<string, unknown>>> = {
  occlusion: { sliding_window_shapes: [2, 3, 3], strides: [1, 2, 2] },
  'integrated-gradients': { n_steps: 20 },
  'internal-influence': { n_steps: 8 },
  'guided-ig': { n_steps: 10 },
  // Its map is close to 0 for these images: min-maxed, it would show only the last digits of the attention.
  'gradient-rollout': { normalized: false },
  xrai: { n_steps: 10, segments: 'grid', grid: '2x3', min_pixel_diff: 1 },
  'blur-ig': { n_steps: 10, max_sigma: 4 },
  'shapley-sampling': { grid: '2x3', n_samples: 3 },
  'kernel-shap': { grid: '2x3', n_samples: 20 },
  'ss-cam': { num_samples: 3 },
  'gradient-shap': { n_samples: 5 },
  'layer-gradient-shap': { n_samples: 4 },
  'smooth-grad': { nt_samples: 5 },
  'smooth-grad-squared': { nt_samples: 5, base: 'guided-backprop' },
  'var-grad': { nt_samples: 5, base: 'input-x-gradient' },
  'is-cam': { num_samples: 3 },
  lime: { grid: '2x3', n_samples: 20 },
  rise: { n_masks: 20, cells: 3 },
  sobol: { n_samples: 4, grid_size: 3 },
  hsic: { n_samples: 20, grid_size: 3 },
};

/** Layers to use if the last map's gradient is the same everywhere: then there is no map to compare. */
const layers: Readonly<Record<string, readonly string[]>> = { 'internal-influence': ['r1'] };

/** Specifications that are evaluated in another way than the method usually is. */
const variants: readonly ExplainerSpec[] = ['grad-cam', 'score-cam'].map((method) => ({
  method,
  convention: 'pytorch-grad-cam',
  parameters: { aug_smooth: true },
}));

/** Specifications of every method in every convention that the method has. */
export const everySpec: readonly ExplainerSpec[] = [
  ...methods.flatMap(({ id, conventions }) =>
    conventions.map((convention) => ({
      method: id,
      convention,
      parameters: small[id] ?? {},
      layers: layers[id],
    })),
  ),
  ...variants,
];

/** Returns the network for tests of a method, as a function of its fixed batch. */
export const networkFor = ({ method }: ExplainerSpec): ((batch?: number) => Uint8Array) =>
  methods.find(({ id }) => id === method)!.needs.includes('attention') ? tinyTransformer : tinyNetwork;

/** Returns the number of rows that a method evaluates per sample: a fixed batch must be a multiple of it. */
export function rowsPerSample({ method }: ExplainerSpec): number {
  if (method === 'layer-gradient-shap') return 3;
  return /deep-lift|^layer-conductance/.test(method) ? 2 : 1;
}
