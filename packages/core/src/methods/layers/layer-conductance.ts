import { z } from 'zod';
import { mul, reshape, slice, sub, sum } from '../../onnx/emit.ts';
import { float32 } from '../../tensor.ts';
import { passedByLayer } from '../gradients/multipliers.ts';
import { defineMethod } from '../method.ts';
import { baselineOf, baselineParam, distance } from '../shared/baseline.ts';
import { camDefaults, camOnly, camOutput, camParams } from '../shared/cam.ts';
import { countOf } from '../shared/noise.ts';
import { pathParams, quadrature } from '../shared/quadrature.ts';

/**
 * Layer conductance: how much of integrated gradients flows through each value of a layer.
 *
 *     attribution = Σ_t ∂y_c/∂A(x_t) ⊙ (A(x_t+1) - A(x_t)),   x_t = x' + α_t(x - x')
 *
 * over the n_steps + 1 points of the quadrature: [N, C, h, w] under Captum's convention; else the sum over channels
 * as a map.
 *
 * @see Dhamdhere, Sundararajan & Yan, "How Important is a Neuron?", 2019
 */
export const layerConductance = defineMethod({
  id: 'layer-conductance',
  title: 'Layer conductance',
  summary: 'How much of the score each value of a layer passes on, on the way from a baseline to the image.',
  paper: 'https://arxiv.org/abs/1805.12233',
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
  samples({ params }) {
    const { alphas } = quadrature(params.quadrature, params.n_steps + 1);
    const pairs = alphas.slice(1).flatMap((alpha, t) => [alphas[t]!, alpha]);
    return { steps: float32([params.n_steps, 2], pairs), counts: countOf(params.n_steps) };
  },
  perSample: () => 2,
  rows(g, image, { steps }, setting) {
    const { baseline } = setting.params;
    const alphas = reshape(g, steps!, [1, g.shape(steps!)[0]! * 2, 1, 1, 1]);
    return g.emit('Add', [
      mul(g, alphas, distance(g, image, baseline, setting)),
      baselineOf(g, image, baseline, setting),
    ]);
  },
  each({ g, layers, gradients, split }, { counts }) {
    const samples = g.shape(counts!)[0]!;
    const paired = (value: string) => {
      const [images, , ...shape] = g.shape(value) as [number, number, ...number[]];
      return reshape(g, value, [images, samples, 2, ...shape]);
    };
    const at = (value: string, k: number) => slice(g, value, 2, k, k + 1);
    const activation = paired(split(layers[0]!));
    const slope = at(paired(split(gradients(layers)[0]!)), 0);
    const flow = mul(g, slope, sub(g, at(activation, 1), at(activation, 0)));
    return { flow: sum(g, mul(g, flow, reshape(g, counts!, [1, samples, 1, 1, 1, 1])), [1, 2], false) };
  },
  finish: (g, _, { flow }, setting) =>
    setting.convention === 'captum' ? flow! : camOutput(g, [sum(g, flow!, [1], false)], setting),
  baseline: (g, image, setting) => baselineOf(g, image, setting.params.baseline, setting),
  shares: (_g, _image, { flow }) => flow!,
});
