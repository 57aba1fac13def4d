import { z } from 'zod';
import type { Expression } from '../../onnx/expression.ts';
import { float32 } from '../../tensor.ts';
import { passedByLayer } from '../gradients/multipliers.ts';
import { defineMethod } from '../method.ts';
import { baselineParam, baselineScore, pathPoints } from '../shared/baseline.ts';
import { layerOutput, mapOnly, mapParams } from '../shared/cam.ts';
import { countOf } from '../shared/noise.ts';
import { pathParams, quadrature } from '../shared/quadrature.ts';

/**
 * Layer conductance: how much of integrated gradients passes through each value of a layer.
 *
 *     attribution = Σ_t ∂y_c/∂A(x_t) ⊙ (A(x_t+1) - A(x_t)),   x_t = x' + α_t(x - x')
 *
 * over the n_steps + 1 points of the quadrature: [N, C, h, w] under Captum's convention; else the sum over channels
 * as a map.
 *
 * @see Dhamdhere, Sundararajan & Yan, "How Important is a Neuron?", 2019
 * @example
 * createExplainer(
 *   classifier,
 *   { method: 'layer-conductance', parameters: { n_steps: 8, baseline: 'blur' } },
 *   runtime,
 * )
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
  parameters: z.strictObject({ ...mapParams, ...pathParams, baseline: baselineParam }),
  only: mapOnly,
  sampled: true,
  explain(subject, setting) {
    const { image, at, over, addsUp } = subject;
    const { baseline, n_steps } = setting.parameters;
    const { alphas } = quadrature(setting.parameters.quadrature, n_steps + 1);
    const pairs = alphas.slice(1).flatMap((alpha, t) => [alphas[t]!, alpha]);
    const samples = { steps: float32([n_steps, 2], pairs), counts: countOf(n_steps) };
    const flow = over(samples, ({ steps, counts }) => {
      const count = steps.shape[0]!;
      const ends = steps.reshape([count * 2, 1, 1, 1]);
      const points = at(pathPoints(image, ends, baseline, setting));
      const layer = points.layers[0]!;
      const paired = (value: Expression) => value.reshape([count, 2, ...value.shape.slice(1)]);
      const end = (value: Expression, k: number) => paired(value).slice(1, k, k + 1);
      const slope = end(points.gradients([layer])[0]!, 0);
      const moved = end(layer, 1).sub(end(layer, 0));
      return slope.mul(moved).mul(counts.unsqueeze(1)).sum([0, 1], false).unsqueeze(0);
    });
    addsUp(flow, () => baselineScore(subject, baseline, setting));
    return layerOutput([flow], setting);
  },
});
