import { z } from 'zod';
import { InputError } from '../../errors.ts';
import type { Expression } from '../../onnx/expression.ts';
import { float32, int64, type Tensor } from '../../tensor.ts';
import { defineMethod, type Samples, type Setting, type Subject } from '../method.ts';
import { baselineOf, baselineParam } from '../shared/baseline.ts';
import { countOf, noiseMade, perRow, seedParam } from '../shared/noise.ts';
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
const parameters = z.strictObject(gradientShapParams);
type ShapParams = z.infer<typeof parameters>;

/**
 * Gradient SHAP: gradients at random points between noisy copies of the image and baselines, times their difference.
 *
 *     attribution = 1/n Σ_s (x_s - b_s) ⊙ ∇y_c(α_s x_s + (1 - α_s) b_s),   x_s = x + η_s        [N, C, H, W]
 *
 * α is uniform in [0, 1], η ~ N(0, stdevs²); b_s is the baseline, or a random row of recorded `baselines`.
 *
 * @see Lundberg & Lee, "A Unified Approach to Interpreting Model Predictions", 2017; `GradientShap` of Captum
 * @example createExplainer(classifier, { method: 'gradient-shap', parameters: { n_samples: 5, stdevs: 0.1 } }, runtime)
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
  deviations: {
    captum:
      '5 samples without noise unless said; without recorded baselines they are zero, where Captum asks for some.',
  },
  parameters,
  defaults: { captum: { n_samples: 5, stdevs: 0 } },
  sampled: true,
  aux: ['noise', 'alphas', 'baseline_index', 'baselines'],
  explain(subject, setting) {
    const { at, over } = subject;
    const endsOf = pathEnds(subject, setting);
    const total = over(drawnSamples(setting, subject.aux), (chunk) => {
      const { baseline, way } = endsOf(chunk);
      const points = way.mul(chunk.alphas).add(baseline);
      return at(points).gradient().mul(way.mul(chunk.counts)).sum([0]);
    });
    return total.mul(1 / setting.parameters.n_samples);
  },
});

/** Draws the random points: α, noise, and the index of the recorded baseline. */
export function drawnSamples(
  { parameters: { n_samples, seed }, inputShape }: Setting<ShapParams>,
  aux: Samples,
) {
  const rows = aux.baselines?.shape[0] ?? 1;
  const drawn = (stream: number) =>
    Array.from({ length: n_samples }, (_, s) => uniform(seed, 2 ** 31 + 2 * s + stream));
  const made = {
    alphas: float32([n_samples], drawn(0)),
    baseline_index: int64(
      [n_samples],
      drawn(1).map((u) => Math.floor(u * rows)),
    ),
  };
  const { alphas, baseline_index } = replayed(made, aux);
  return {
    alphas: perRow(Array.from(alphas.data as Float32Array)),
    baseline_index,
    noise: noiseMade(seed, n_samples, inputShape, aux),
    counts: countOf(n_samples),
  };
}

type Chunk = { readonly [K in keyof ReturnType<typeof drawnSamples>]: Expression };

/** Gives noisy copies of the image, the baseline of each, and the differences between both, [samples, C, H, W]. */
export function pathEnds({ image, aux: { baselines }, given }: Subject, setting: Setting<ShapParams>) {
  const { stdevs, baseline: named } = setting.parameters;
  if (baselines) checkBaselines(baselines, setting);
  const recorded = baselines && given(baselines);
  return ({ noise, baseline_index }: Chunk) => {
    const copies = image.add(noise.mul(stdevs));
    const baseline = recorded ? recorded.gather(baseline_index, 0) : baselineOf(image, named, setting);
    return { copies, baseline, way: copies.sub(baseline) };
  };
}

/** @throws InputError invalid_tensor on another shape than the image's */
function checkBaselines({ dtype, shape }: Tensor, { inputShape }: Setting<unknown>): void {
  if (dtype !== 'float32' || shape.slice(1).join() !== inputShape.join())
    throw new InputError(
      'invalid_tensor',
      `aux "baselines": expected float32 [rows, ${inputShape.join(', ')}], got ${dtype} [${shape.join(', ')}]`,
    );
}
