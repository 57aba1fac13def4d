import { z } from 'zod';
import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { add, mul, reshape, sub, sum } from '../../onnx/emit.ts';
import { float32 } from '../../tensor.ts';
import { activationOf } from '../cams/masks.ts';
import { passedByLayer } from '../gradients/multipliers.ts';
import { defineMethod, type Values } from '../method.ts';
import { baselineOf, baselineParam } from '../shared/baseline.ts';
import { camDefaults, camOnly, camOutput, camParams } from '../shared/cam.ts';
import { pathParams, quadrature } from '../shared/quadrature.ts';

/**
 * Layer integrated gradients: integrated gradients along the straight line between a layer's values for a baseline
 * and for the image.
 *
 *     attribution = (A(x) - A(x')) ⊙ Σ_t w_t ∂y_c/∂A at A(x') + α_t(A(x) - A(x'))
 *
 * [N, C, h, w] under Captum's convention; else the sum over channels as a map. Only what comes after the layer is
 * evaluated at the points.
 *
 * @see `LayerIntegratedGradients` of Captum; Sundararajan, Taly & Yan, 2017
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
  params: z.strictObject({ ...camParams, ...pathParams, baseline: baselineParam }),
  defaults: camDefaults,
  only: camOnly,
  aux: [],
  startsAtLayer: true,
  preparesBaseline: true,
  samples({ params }) {
    const { alphas, weights } = quadrature(params.quadrature, params.n_steps);
    return { alphas: float32([params.n_steps], alphas), weights: float32([params.n_steps], weights) };
  },
  prepare: activationOf,
  rows(g, _, { activation, baseline_activation, alphas }) {
    const way = sub(g, activation!, baseline_activation!);
    const [, ...shape] = g.shape(way) as [number, ...number[]];
    const single = (value: string) => reshape(g, value, [1, 1, ...shape]);
    const scaled = mul(g, reshape(g, alphas!, [1, g.shape(alphas!)[0]!, 1, 1, 1]), single(way));
    return add(g, single(baseline_activation!), scaled);
  },
  each({ g, rows, gradients, split }, { weights }) {
    const weight = reshape(g, weights!, [1, g.shape(weights!)[0]!, 1, 1, 1]);
    return { gradient: sum(g, mul(g, weight, split(gradients([rows])[0]!)), [1], false) };
  },
  finish(g, _, given, setting) {
    const attribution = attributionOf(g, given);
    return setting.convention === 'captum'
      ? attribution
      : camOutput(g, [sum(g, attribution, [1], false)], setting);
  },
  shares: (g, _image, given) => attributionOf(g, given),
  baseline: (g, image, setting) => baselineOf(g, image, setting.params.baseline, setting),
});

const attributionOf = (g: GraphBuilder, { gradient, activation, baseline_activation }: Values): Value =>
  mul(g, gradient!, sub(g, activation!, baseline_activation!));
