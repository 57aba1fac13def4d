import { z } from 'zod';
import { add, mul, reshape, scale, slice, sub, sum } from '../../onnx/emit.ts';
import { drawnSamples, ends, gradientShapParams, recordedBaselines } from '../gradients/gradient-shap.ts';
import { defineMethod } from '../method.ts';
import { camOnly, camOutput, camParams } from '../shared/cam.ts';

const params = z.strictObject({ ...camParams, ...gradientShapParams });

/**
 * Layer Gradient SHAP: a layer's gradients at random points between noisy copies of the image and baselines, times the
 * layer's own way from one to the other.
 *
 *     attribution = 1/n Σ_s (A(x_s) - A(b_s)) ⊙ ∂y_c/∂A(α_s x_s + (1 - α_s) b_s),   x_s = x + η_s
 *
 * α, η and b as in `gradient-shap`. [N, C, h, w] under Captum's convention; else the sum over channels as a map.
 *
 * @see `LayerGradientShap` of Captum; Lundberg & Lee, 2017
 */
export const layerGradientShap = defineMethod<z.infer<typeof params>>({
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
  oddities: { captum: 'As gradient-shap.' },
  params,
  defaults: { captum: { n_samples: 5, stdevs: 0 } },
  only: camOnly,
  aux: ['noise', 'alphas', 'baseline_index', 'baselines'],
  samples: drawnSamples,
  fixed: recordedBaselines,
  perSample: () => 3,
  rows(g, image, given, setting) {
    const { copies, baseline, way } = ends(g, image, given, setting);
    const samples = g.shape(given.counts!)[0]!;
    const point = add(g, baseline, mul(g, way, reshape(g, given.alphas!, [1, samples, 1, 1, 1])));
    const [images, , ...shape] = g.shape(copies) as [number, number, ...number[]];
    const three = [point, copies, sub(g, copies, way)].map((v) => g.emit('Unsqueeze', [v, g.ints([2])]));
    return reshape(g, g.emit('Concat', three, { axis: 2 }), [images, samples * 3, ...shape]);
  },
  each({ g, layers, gradients, split }, { counts }) {
    const samples = g.shape(counts!)[0]!;
    const at = (value: string, k: number) => {
      const [images, , ...shape] = g.shape(split(value)) as [number, number, ...number[]];
      return slice(g, reshape(g, split(value), [images, samples, 3, ...shape]), 2, k, k + 1);
    };
    const way = sub(g, at(layers[0]!, 1), at(layers[0]!, 2));
    const credit = mul(g, at(gradients(layers)[0]!, 0), way);
    return { total: sum(g, mul(g, credit, reshape(g, counts!, [1, samples, 1, 1, 1, 1])), [1, 2], false) };
  },
  finish(g, _, { total }, setting) {
    const mean = scale(g, total!, 1 / setting.params.n_samples);
    return setting.convention === 'captum' ? mean : camOutput(g, [sum(g, mean, [1], false)], setting);
  },
});
