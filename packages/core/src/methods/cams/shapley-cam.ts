import { z } from 'zod';
import type { Expression } from '../../onnx/expression.ts';
import { defineMethod } from '../method.ts';
import { camDefaults, camOnly, camOutput, evidenceMaps, evidenceParams } from '../shared/cam.ts';

/**
 * ShapleyCAM: Grad-CAM with the second-order term of the score in the weights.
 *
 *     map = ReLU(Σ_k w_k A_k),   w_k = 1/(h·w) Σ_ij (G - ½ H·A)_k,ij,   G = ∂y_c/∂A
 *
 * H·A is the product of the score's Hessian with the activations, a gradient of the gradient. If the network is
 * piecewise linear after the layer, H·A is zero, and the map is Grad-CAM's.
 *
 * @see Cai, "CAMs as Shapley Value-based Explainers", 2025
 * @example createExplainer(classifier, { method: 'shapley-cam', layers: ['-1'] }, runtime)
 */
export const shapleyCam = defineMethod({
  id: 'shapley-cam',
  title: 'ShapleyCAM',
  summary: 'Grad-CAM with curvature: how the score bends with each feature map is taken into account.',
  paper: 'https://arxiv.org/abs/2501.06261',
  version: '1',
  kind: 'map',
  needs: ['gradient', 'layer'],
  conventions: ['paper', 'pytorch-grad-cam'],
  parameters: z.strictObject(evidenceParams),
  defaults: camDefaults,
  only: camOnly,
  explain(subject, setting) {
    const gradients = subject.gradients(subject.layers);
    const maps = evidenceMaps(
      subject,
      setting,
      (activation, gradient) => {
        const seeds = new Map([[gradient, activation]]);
        const [curvature] = subject.gradients([activation], { seeds }) as [Expression];
        return gradient.sub(curvature.mul(0.5)).mean([2, 3]).mul(activation);
      },
      gradients,
    );
    return camOutput(maps, setting);
  },
});
