import { z } from 'zod';
import type { Expression } from '../../onnx/expression.ts';
import { defineMethod } from '../method.ts';
import {
  camDefaults,
  camOnly,
  camOutput,
  type Evidence,
  evidenceMaps,
  evidenceParams,
} from '../shared/cam.ts';

/** Computes w_k A_k, where w_k is the mean of G_k. */
export const gradCamEvidence: Evidence = (activation, gradient) => gradient.mean([2, 3]).mul(activation);

/**
 * Grad-CAM: a layer's feature maps, weighted by how much the score moves with each of them.
 *
 *     map = ReLU(Σ_k w_k A_k),   w_k = 1/(h·w) Σ_ij ∂y_c/∂A_k,ij
 *
 * A [N, C, h, w] are the layer's activations, y_c the target's score before Softmax. On a network that ends in
 * global average pooling and one linear layer, at its last map, this is CAM divided by h·w. Captum's is the signed
 * sum [N, 1, h, w], unless relu_attributions.
 *
 * @see Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization", 2017
 * @example createExplainer(classifier, { method: 'grad-cam', layers: ['-1'] }, runtime)
 */
export const gradCam = defineMethod({
  id: 'grad-cam',
  title: 'Grad-CAM',
  summary: 'Where in a layer the evidence for the class lies: feature maps weighted by their mean gradient.',
  paper: 'https://arxiv.org/abs/1610.02391',
  version: '1',
  kind: 'map',
  axioms: ['linearity'],
  needs: ['gradient', 'layer'],
  conventions: ['paper', 'torchcam', 'pytorch-grad-cam', 'captum'],
  deviations: {
    captum: "Signed sums [N, 1, h, w] at the layer's size, neither rectified nor normalised.",
  },
  parameters: z.strictObject({
    ...evidenceParams,
    relu_attributions: z.boolean().default(false).describe('Keep positive evidence only'),
  }),
  defaults: camDefaults,
  only: { ...camOnly, relu_attributions: ['captum'] },
  explain(subject, setting) {
    const maps = evidenceMaps(subject, setting, gradCamEvidence);
    if (setting.convention !== 'captum') return camOutput(maps, setting);
    const [map] = maps as [Expression];
    return (setting.parameters.relu_attributions ? map.relu() : map).unsqueeze(1);
  },
});
