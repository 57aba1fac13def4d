import { z } from 'zod';
import { mul, reshape, sum } from '../../onnx/emit.ts';
import { float32 } from '../../tensor.ts';
import { defineMethod } from '../method.ts';
import { baselineOf, baselineParam, distance } from '../shared/baseline.ts';
import { camDefaults, camOnly, camOutput, camParams } from '../shared/cam.ts';
import { pathParams, quadrature } from '../shared/quadrature.ts';

/**
 * Internal influence: a layer's gradient averaged on the way from a baseline to the image.
 *
 *     attribution = Σ_t w_t ∂y_c/∂A(x' + α_t(x - x'))
 *
 * [N, C, h, w] under Captum's convention; else the sum over channels as a map.
 *
 * @see Leino et al., "Influence-Directed Explanations for Deep Convolutional Networks", 2018
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
  params: z.strictObject({ ...camParams, ...pathParams, baseline: baselineParam }),
  defaults: camDefaults,
  only: camOnly,
  aux: [],
  samples({ params }) {
    const { alphas, weights } = quadrature(params.quadrature, params.n_steps);
    return { alphas: float32([params.n_steps], alphas), weights: float32([params.n_steps], weights) };
  },
  rows(g, image, { alphas }, setting) {
    const { baseline } = setting.params;
    const shares = reshape(g, alphas!, [1, g.shape(alphas!)[0]!, 1, 1, 1]);
    return g.emit('Add', [
      mul(g, shares, distance(g, image, baseline, setting)),
      baselineOf(g, image, baseline, setting),
    ]);
  },
  each({ g, layers, gradients, split }, { weights }) {
    const weight = reshape(g, weights!, [1, g.shape(weights!)[0]!, 1, 1, 1]);
    return { influence: sum(g, mul(g, weight, split(gradients(layers)[0]!)), [1], false) };
  },
  finish: (g, _, { influence }, setting) =>
    setting.convention === 'captum' ? influence! : camOutput(g, [sum(g, influence!, [1], false)], setting),
});
