import { z } from 'zod';
import type { Expression } from '../../onnx/expression.ts';
import { defineMethod, type Setting } from '../method.ts';
import { countOf, perRow } from '../shared/noise.ts';

const parameters = z.strictObject({
  n_steps: z.int().min(1).max(1000).default(100).describe('Steps from the image to its strongest blur'),
  max_sigma: z
    .number()
    .positive()
    .default(50)
    .describe('Standard deviation of the strongest blur, in pixels'),
  grad_step: z
    .number()
    .positive()
    .default(0.01)
    .describe('By how much the standard deviation grows to see what a little more blur changes'),
  sqrt: z.boolean().default(false).describe('Standard deviations grow with the root of the step'),
});
type BlurParams = z.infer<typeof parameters>;

/**
 * Blur integrated gradients: integrated gradients along a path of increasing blur of the image.
 *
 *     attribution = -Σ_i (σ_i+1 - σ_i) ∂x_σ/∂σ ⊙ ∇y_c(x_σ)  at σ_i,   x_σ = x blurred by a Gaussian of σ        [N, C, H, W]
 *
 * The blur is that of SciPy's `gaussian_filter`: cut off at 4σ, zeros around the image. ∂x_σ/∂σ is (x_σ+δ - x_σ)/δ, δ `grad_step`.
 *
 * @see Xu, Venugopalan & Sundararajan, "Attribution in Scale and Space", 2020; `BlurIG` of PAIR's saliency
 * @example createExplainer(classifier, { method: 'blur-ig', parameters: { n_steps: 10, max_sigma: 5 } }, runtime)
 */
export const blurIg = defineMethod<BlurParams>({
  id: 'blur-ig',
  title: 'Blur integrated gradients',
  summary:
    'How much each input value adds to the score while a blurred image becomes sharp; needs no baseline.',
  paper: 'https://arxiv.org/abs/2004.03383',
  version: '1',
  kind: 'pixels',
  axioms: ['dummy', 'linearity', 'implementation invariance'],
  needs: ['gradient'],
  conventions: ['paper'],
  parameters,
  sampled: true,
  explain({ image, at, over }, setting) {
    const { n_steps, max_sigma, grad_step } = setting.parameters;
    const samples = { step: perRow([...Array(n_steps).keys()]), counts: countOf(n_steps) };
    const farthest = reachOf(max_sigma + grad_step);
    return over(samples, ({ step, counts }) => {
      const sigma = sigmaAt(step, setting.parameters);
      const kernels = [sigma, sigma.add(grad_step)].map((s) => gaussian(s, farthest)) as [Kernel, Kernel];
      const [rows, columns] = [
        growing(kernels, sigma, setting.height),
        growing(kernels, sigma, setting.width),
      ];
      const smooth = (down: Expression, across: Expression) => smoothed(image, down, across, setting);
      // A difference of blurred images would lose the digits that the difference of their kernels keeps.
      const gain = smooth(rows.gain, columns.more).add(smooth(rows.some, columns.gain));
      const slope = at(smooth(rows.some, columns.some)).gradient();
      const width = sigma.sub(sigmaAt(step.add(1), setting.parameters)).mul(1 / grad_step);
      return slope.mul(gain).mul(width.cast('float32').mul(counts)).sum([0]);
    });
  },
});

/** Computes the standard deviation at each step, [S, 1, 1, 1], in float64: `grad_step` may be much smaller. */
function sigmaAt(step: Expression, { n_steps, max_sigma, sqrt }: BlurParams): Expression {
  const sigma = step.cast('float64').mul(max_sigma / n_steps);
  return sqrt ? sigma.sqrt() : sigma;
}

const reachOf = (sigma: number): number => Math.floor(4 * sigma + 0.5);

/** A function from distances […] from a pixel to weights, [S, …]. */
type Kernel = (distances: Expression) => Expression;

/** Makes Gaussians of σ [S, 1, 1, 1] that are cut off at 4σ, which is at most `farthest`. */
function gaussian(sigma: Expression, farthest: number): Kernel {
  const reach = sigma.mul(4).add(0.5).emit('Floor');
  const exponent = sigma.square().mul(-2).atMost(-1e-12).reciprocal();
  const weight: Kernel = (at) => at.square().mul(exponent).exp().gate(at.isAtMost(reach));
  const beside = Array.from({ length: farthest }, (_, i) => i + 1);
  const total = weight(sigma.array([1, 1, 1, farthest], beside))
    .sum([3])
    .mul(2)
    .add(1);
  return (at) => weight(at).div(total);
}

/** Makes the matrices [S, 1, size, size] of blurs along one axis: of two kernels, and of their difference. */
function growing(kernels: readonly [Kernel, Kernel], like: Expression, size: number) {
  const offsets = Array.from({ length: size ** 2 }, (_, i) => Math.abs(Math.floor(i / size) - (i % size)));
  const [some, more] = kernels.map((kernel) => kernel(like.array([1, 1, size, size], offsets))) as [
    Expression,
    Expression,
  ];
  return { some: some.cast('float32'), more: more.cast('float32'), gain: more.sub(some).cast('float32') };
}

/** Blurs rows and columns of images by matrices [S, 1, size, size]; pixels outside the image are 0. */
function smoothed(
  image: Expression,
  rows: Expression,
  columns: Expression,
  { layout, height, width, inputShape }: Setting<unknown>,
): Expression {
  if (layout === 'NCHW') return rows.matmul(image).matmul(columns);
  const samples = rows.shape[0]!;
  const channels = inputShape[2]!;
  const down = rows.matmul(image.reshape([1, 1, height, width * channels]));
  return columns.matmul(down.reshape([samples, height, width, channels]));
}
