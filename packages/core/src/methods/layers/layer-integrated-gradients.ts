import { z } from 'zod';
import { passedByLayer } from '../gradients/multipliers.ts';
import { defineMethod } from '../method.ts';
import { baselineImage, baselineParam, baselineScore } from '../shared/baseline.ts';
import { layerOutput, mapOnly, mapParams } from '../shared/cam.ts';
import { pathParams, quadrature, quadraturePoints } from '../shared/quadrature.ts';

/**
 * Layer integrated gradients: integrated gradients along the straight line between a layer's values for a baseline
 * and for the image.
 *
 *     attribution = (A(x) - A(x')) ⊙ Σ_t w_t ∂y_c/∂A at A(x') + α_t(A(x) - A(x'))
 *
 * [N, C, h, w] under Captum's convention; else the sum over channels as a map. Only the network after the layer
 * is evaluated at the points.
 *
 * @see `LayerIntegratedGradients` of Captum; Sundararajan, Taly & Yan, 2017
 * @example
 * createExplainer(
 *   classifier,
 *   { method: 'layer-integrated-gradients', parameters: { n_steps: 8, quadrature: 'riemann_middle' } },
 *   runtime,
 * )
 */
export const layerIntegratedGradients = defineMethod({
  id: 'layer-integrated-gradients',
  title: 'Layer integrated gradients',
  summary: 'How much each value of a layer adds to the score on the way from a baseline to the image.',
  paper: 'https://arxiv.org/abs/1703.01365',
  version: '1',
  kind: 'map',
  axioms: ['completeness', 'linearity'],
  provided: { completeness: 'in the limit of many steps, at layers that nothing passes by' },
  exceptionsOf: passedByLayer,
  needs: ['gradient', 'layer'],
  singleLayer: true,
  conventions: ['paper', 'captum'],
  parameters: z.strictObject({ ...mapParams, ...pathParams, baseline: baselineParam }),
  only: mapOnly,
  sampled: true,
  explain(subject, setting) {
    const { image, layers, at, from, over, addsUp } = subject;
    const { baseline, n_steps } = setting.parameters;
    const absent = baselineImage(image, baseline, setting);
    const start = over({}, () => at(absent).layers[0]!);
    const way = layers[0]!.sub(start);
    const points = quadraturePoints(quadrature(setting.parameters.quadrature, n_steps));
    const mean = over(points, ({ alphas, weights }) =>
      from(alphas.mul(way).add(start)).gradient().mul(weights).sum([0]),
    );
    const attribution = mean.mul(way);
    addsUp(attribution, () => baselineScore(subject, baseline, setting));
    return layerOutput([attribution], setting);
  },
});
