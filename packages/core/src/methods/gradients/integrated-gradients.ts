import { z } from 'zod';
import { add, mul, reshape, sum } from '../../onnx/emit.ts';
import { float32 } from '../../tensor.ts';
import { defineMethod } from '../method.ts';
import { baselineOf, baselineParam, distance } from '../shared/baseline.ts';
import { pathParams, quadrature } from '../shared/quadrature.ts';
import { replayed } from '../shared/replayed.ts';

/**
 * Integrated gradients: the gradient averaged along the straight line from a baseline to the image, times the way.
 *
 *     attribution = (x - x') ⊙ Σ_t w_t ∇y_c(x' + α_t(x - x'))        [N, C, H, W]
 *
 * Completeness: attributions sum to y_c(x) - y_c(x') as the steps grow; the rest is the convergence delta.
 *
 * @see Sundararajan, Taly & Yan, "Axiomatic Attribution for Deep Networks", 2017
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
  exceptions: ({ params }) => ({
    ...(!params.multiply_by_inputs && {
      completeness: 'multiply_by_inputs=false asks for the averaged gradient, which shares nothing out',
    }),
  }),
  needs: ['gradient'],
  conventions: ['paper', 'captum'],
  oddities: {
    captum: "riemann_trapezoid's weights add up to (n - 1)/n, not 1.",
  },
  params: z.strictObject({
    ...pathParams,
    baseline: baselineParam,
    multiply_by_inputs: z
      .boolean()
      .default(true)
      .describe('Multiply by image minus baseline; without, the averaged gradient'),
  }),
  aux: ['alphas', 'weights'],
  samples({ params }, aux) {
    const { alphas, weights } = quadrature(params.quadrature, params.n_steps);
    return replayed(
      { alphas: float32([params.n_steps], alphas), weights: float32([params.n_steps], weights) },
      aux,
    );
  },
  rows(g, image, { alphas }, setting) {
    const { baseline } = setting.params;
    const way = mul(
      g,
      reshape(g, alphas!, [1, g.shape(alphas!)[0]!, 1, 1, 1]),
      distance(g, image, baseline, setting),
    );
    return baseline === 'zero' ? way : add(g, baselineOf(g, image, baseline, setting), way);
  },
  each({ g, rows, gradients, split }, { weights }) {
    const gradient = split(gradients([rows])[0]!);
    const weight = reshape(g, weights!, [1, g.shape(weights!)[0]!, 1, 1, 1]);
    return { gradient: sum(g, mul(g, weight, gradient), [1], false) };
  },
  finish: (g, image, { gradient }, setting) =>
    setting.params.multiply_by_inputs
      ? mul(g, gradient!, distance(g, image, setting.params.baseline, setting))
      : gradient!,
  baseline: (g, image, setting) =>
    setting.params.multiply_by_inputs ? baselineOf(g, image, setting.params.baseline, setting) : null,
});
