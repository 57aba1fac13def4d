import { z } from 'zod';
import { defineMethod } from '../method.ts';
import { baselineParam, baselineScore, distance, pathPoints } from '../shared/baseline.ts';
import { pathParams, quadrature, quadraturePoints } from '../shared/quadrature.ts';

/**
 * Integrated gradients: the gradient averaged on the straight line from baseline to image, times their difference.
 *
 *     attribution = (x - x') ⊙ Σ_t w_t ∇y_c(x' + α_t(x - x'))        [N, C, H, W]
 *
 * Completeness: attributions sum to y_c(x) - y_c(x') as the steps grow; the rest is the convergence delta.
 *
 * @see Sundararajan, Taly & Yan, "Axiomatic Attribution for Deep Networks", 2017
 * @example
 * createExplainer(
 *   classifier,
 *   { method: 'integrated-gradients', parameters: { n_steps: 16, baseline: 'blur' } },
 *   runtime,
 * )
 */
export const integratedGradients = defineMethod({
  id: 'integrated-gradients',
  title: 'Integrated gradients',
  summary: 'How much each input value adds to the score on the way from a baseline to the image.',
  paper: 'https://arxiv.org/abs/1703.01365',
  version: '1',
  kind: 'pixels',
  axioms: ['completeness', 'dummy', 'linearity', 'implementation invariance'],
  provided: { completeness: 'in the limit of many steps, and with multiply_by_inputs=true' },
  exceptions: ({ parameters }) => ({
    ...(!parameters.multiply_by_inputs && {
      completeness: 'multiply_by_inputs=false asks for the averaged gradient, which shares nothing out',
    }),
  }),
  needs: ['gradient'],
  conventions: ['paper', 'captum'],
  deviations: {
    captum: "riemann_trapezoid's weights add up to (n - 1)/n, not 1.",
  },
  parameters: z.strictObject({
    ...pathParams,
    baseline: baselineParam,
    multiply_by_inputs: z
      .boolean()
      .default(true)
      .describe('Multiply by image minus baseline; without, the averaged gradient'),
  }),
  sampled: true,
  aux: ['alphas', 'weights'],
  explain(subject, setting) {
    const { image, aux, at, over, addsUp } = subject;
    const { baseline, multiply_by_inputs, n_steps } = setting.parameters;
    const points = quadraturePoints(quadrature(setting.parameters.quadrature, n_steps), aux);
    const mean = over(points, ({ alphas, weights }) =>
      at(pathPoints(image, alphas, baseline, setting))
        .gradient()
        .mul(weights)
        .sum([0]),
    );
    if (!multiply_by_inputs) return mean;
    const attribution = mean.mul(distance(image, baseline, setting));
    addsUp(attribution, () => baselineScore(subject, baseline, setting));
    return attribution;
  },
});
