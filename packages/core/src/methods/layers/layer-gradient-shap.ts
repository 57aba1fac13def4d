import { z } from 'zod';
import { applied, type Expression } from '../../onnx/expression.ts';
import { drawnSamples, gradientShapParams, pathEnds } from '../gradients/gradient-shap.ts';
import { defineMethod } from '../method.ts';
import { layerOutput, mapOnly, mapParams } from '../shared/cam.ts';

const parameters = z.strictObject({ ...mapParams, ...gradientShapParams });

/**
 * Layer Gradient SHAP: a layer's gradients at random points between noisy copies of the image and baselines, times the
 * difference of the layer's values for both.
 *
 *     attribution = 1/n Σ_s (A(x_s) - A(b_s)) ⊙ ∂y_c/∂A(α_s x_s + (1 - α_s) b_s),   x_s = x + η_s
 *
 * α, η and b are those of `gradient-shap`. [N, C, h, w] under Captum's convention; else the sum over channels as a map.
 *
 * @see `LayerGradientShap` of Captum; Lundberg & Lee, 2017
 * @example
 * createExplainer(
 *   classifier,
 *   { method: 'layer-gradient-shap', parameters: { n_samples: 4, stdevs: 0.1 } },
 *   runtime,
 * )
 */
export const layerGradientShap = defineMethod<z.infer<typeof parameters>>({
  id: 'layer-gradient-shap',
  title: 'Layer Gradient SHAP',
  summary:
    "A layer's gradients between noisy copies of the image and baselines, times how far its values move.",
  paper: 'https://arxiv.org/abs/1705.07874',
  version: '1',
  kind: 'map',
  axioms: ['linearity'],
  needs: ['gradient', 'layer'],
  singleLayer: true,
  conventions: ['paper', 'captum'],
  deviations: { captum: 'As gradient-shap.' },
  parameters,
  defaults: { captum: { n_samples: 5, stdevs: 0 } },
  only: mapOnly,
  sampled: true,
  aux: ['noise', 'alphas', 'baseline_index', 'baselines'],
  explain(subject, setting) {
    const { at, over } = subject;
    const endsOf = pathEnds(subject, setting);
    const total = over(drawnSamples(setting, subject.aux), (chunk) => {
      const { copies, baseline, way } = endsOf(chunk);
      const point = way.mul(chunk.alphas).add(baseline);
      const [samples, ...shape] = copies.shape as [number, ...number[]];
      const three = [point, copies, copies.sub(way)].map((rows) => rows.unsqueeze(1));
      const rows = at(applied('Concat', three, { axis: 1 }).reshape([samples * 3, ...shape]));
      const layer = rows.layers[0]!;
      const of = (value: Expression, k: number) =>
        value.reshape([samples, 3, ...value.shape.slice(1)]).slice(1, k, k + 1);
      const credit = of(rows.gradients([layer])[0]!, 0).mul(of(layer, 1).sub(of(layer, 2)));
      return credit.mul(chunk.counts.unsqueeze(1)).sum([0, 1], false).unsqueeze(0);
    });
    return layerOutput([total.mul(1 / setting.parameters.n_samples)], setting);
  },
});
