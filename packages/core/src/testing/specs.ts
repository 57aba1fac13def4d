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
  // Its map lies close to 0 there: min-maxed, the last digits of the attention are what is seen.
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

/** The last map's gradient is the same everywhere: no map to compare. */
const layers: Readonly<Record<string, readonly string[]>> = { 'internal-influence': ['r1'] };

/** What is evaluated in another way than the method is otherwise. */
const variants: readonly ExplainerSpec[] = ['grad-cam', 'score-cam'].map((method) => ({
  method,
  convention: 'pytorch-grad-cam',
  parameters: { aug_smooth: true },
}));

/** Every method in every convention that it has. */
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

/** The network that a method is tried on, with the batch that is baked into it. */
export const networkFor = ({ method }: ExplainerSpec): ((batch?: number) => Uint8Array) =>
  methods.find(({ id }) => id === method)!.needs.includes('attention') ? tinyTransformer : tinyNetwork;

/** Rows that a method evaluates side by side: batches that are baked in have to be a multiple. */
export function rowsPerSample({ method }: ExplainerSpec): number {
  if (method === 'layer-gradient-shap') return 3;
  return /deep-lift|^layer-conductance/.test(method) ? 2 : 1;
}
