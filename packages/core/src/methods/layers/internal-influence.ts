import { z } from 'zod';
import { defineMethod } from '../method.ts';
import { baselineParam, pathPoints } from '../shared/baseline.ts';
import { layerOutput, mapOnly, mapParams } from '../shared/cam.ts';
import { pathParams, quadrature, quadraturePoints } from '../shared/quadrature.ts';

/**
 * Internal influence: a layer's gradient averaged on the path from a baseline to the image.
 *
 *     attribution = Σ_t w_t ∂y_c/∂A(x' + α_t(x - x'))
 *
 * [N, C, h, w] under Captum's convention; else the sum over channels as a map.
 *
 * @see Leino et al., "Influence-Directed Explanations for Deep Convolutional Networks", 2018
 * @example
 * createExplainer(
 *   classifier,
 *   { method: 'internal-influence', layers: ['-2'], parameters: { n_steps: 8 } },
 *   runtime,
 * )
 */
export const internalInfluence = defineMethod({
  id: 'internal-influence',
  title: 'Internal influence',
  summary:
    'How the score moves with each value of a layer, averaged on the way from a baseline to the image.',
  paper: 'https://arxiv.org/abs/1802.03788',
  version: '1',
  kind: 'map',
  axioms: ['linearity'],
  needs: ['gradient', 'layer'],
  singleLayer: true,
  conventions: ['paper', 'captum'],
  parameters: z.strictObject({ ...mapParams, ...pathParams, baseline: baselineParam }),
  only: mapOnly,
  sampled: true,
  explain({ image, at, over }, setting) {
    const { baseline, n_steps } = setting.parameters;
    const points = quadraturePoints(quadrature(setting.parameters.quadrature, n_steps));
    const influence = over(points, ({ alphas, weights }) => {
      const { layers, gradients } = at(pathPoints(image, alphas, baseline, setting));
      return gradients(layers)[0]!.mul(weights).sum([0]);
    });
    return layerOutput([influence], setting);
  },
});
