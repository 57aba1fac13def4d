import { z } from 'zod';
import { InputError } from '../../errors.ts';
import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { add, mul, reshape, scale, sub, sum } from '../../onnx/emit.ts';
import { float32, int64 } from '../../tensor.ts';
import { defineMethod, type Samples, type Setting, type Values } from '../method.ts';
import { baselineOf, baselineParam } from '../shared/baseline.ts';
import { countOf, noiseMade, seedParam } from '../shared/noise.ts';
import { uniform } from '../shared/random.ts';
import { replayed } from '../shared/replayed.ts';

export const gradientShapParams = {
  n_samples: z.int().min(1).default(20).describe('Random points'),
  stdevs: z
    .number()
    .min(0)
    .default(0.09)
    .describe("Standard deviation of the noise, in the network's own space"),
  baseline: baselineParam,
  seed: seedParam,
};
const params = z.strictObject(gradientShapParams);
type ShapParams = z.infer<typeof params>;

/**
 * Gradient SHAP: gradients at random points between noisy copies of the image and baselines, times the way.
 *
 *     attribution = 1/n Σ_s (x_s - b_s) ⊙ ∇y_c(α_s x_s + (1 - α_s) b_s),   x_s = x + η_s        [N, C, H, W]
 *
 * α is uniform in [0, 1], η ~ N(0, stdevs²); b_s is the baseline, or a random one of recorded `baselines`.
 *
 * @see Lundberg & Lee, "A Unified Approach to Interpreting Model Predictions", 2017; `GradientShap` of Captum
 */
export const gradientShap = defineMethod<ShapParams>({
  id: 'gradient-shap',
  title: 'Gradient SHAP',
  summary: 'Integrated gradients at random points between noisy copies of the image and baselines.',
  paper: 'https://arxiv.org/abs/1705.07874',
  version: '1',
  kind: 'pixels',
  axioms: ['dummy', 'linearity', 'implementation invariance'],
  needs: ['gradient'],
  conventions: ['paper', 'captum'],
  oddities: {
    captum:
      '5 samples without noise unless said; without recorded baselines they are zero, where Captum asks for some.',
  },
  params,
  defaults: { captum: { n_samples: 5, stdevs: 0 } },
  aux: ['noise', 'alphas', 'baseline_index', 'baselines'],
  samples: drawnSamples,
  fixed: recordedBaselines,
  rows(g, image, given, setting) {
    const { copies, baseline, way } = ends(g, image, given, setting);
    const alphas = reshape(g, given.alphas!, [1, g.shape(copies)[1]!, 1, 1, 1]);
    return add(g, baseline, mul(g, way, alphas));
  },
  each({ g, image, rows, gradients, split }, given, setting) {
    const { way } = ends(g, g.emit('Unsqueeze', [image, g.ints([1])]), given, setting);
    const samples = g.shape(given.counts!)[0]!;
    const counted = mul(g, way, reshape(g, given.counts!, [1, samples, 1, 1, 1]));
    return { total: sum(g, mul(g, split(gradients([rows])[0]!), counted), [1], false) };
  },
  finish: (g, _, { total }, setting) => scale(g, total!, 1 / setting.params.n_samples),
});

/** Where the random points lie: α, noise, and which baseline. */
export function drawnSamples({ params: { n_samples, seed }, inputShape }: Setting<ShapParams>, aux: Samples) {
  const rows = aux.baselines?.shape[0] ?? 1;
  const drawn = (stream: number) =>
    Array.from({ length: n_samples }, (_, s) => uniform(seed, 2 ** 31 + 2 * s + stream));
  const made = {
    alphas: float32([n_samples], drawn(0)),
    ...(aux.baselines && {
      baseline_index: int64(
        [n_samples],
        drawn(1).map((u) => Math.floor(u * rows)),
      ),
    }),
  };
  return {
    ...replayed(made, aux),
    noise: noiseMade(seed, n_samples, inputShape, aux),
    counts: countOf(n_samples),
  };
}

/** Recorded baselines, if there are. @throws InputError invalid_tensor on another shape */
export function recordedBaselines({ inputShape }: Setting<unknown>, { baselines }: Samples): Samples {
  if (!baselines) return {};
  if (baselines.dtype !== 'float32' || baselines.shape.slice(1).join() !== inputShape.join())
    throw new InputError(
      'invalid_tensor',
      `aux "baselines": expected float32 [rows, ${inputShape.join(', ')}], got ${baselines.dtype} [${baselines.shape.join(', ')}]`,
    );
  return { baselines };
}

/** Noisy copies of the image, the baseline of each, and the way between, [images, S, C, H, W]. */
export function ends(g: GraphBuilder, image: Value, given: Values, setting: Setting<ShapParams>) {
  const { stdevs, baseline: named } = setting.params;
  const copies = add(g, image, g.emit('Unsqueeze', [scale(g, given.noise!, stdevs), g.ints([0])]));
  const baseline = given.baselines
    ? g.emit('Unsqueeze', [
        g.emit('Gather', [given.baselines, given.baseline_index!], { axis: 0 }),
        g.ints([0]),
      ])
    : baselineOf(g, image, named, setting);
  return { copies, baseline, way: sub(g, copies, baseline) };
}
