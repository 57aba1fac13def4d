import { z } from 'zod';
import { mean } from '../onnx/emit.ts';
import { camDefaults, camOnly, camOutput, camParams, weighted } from './cam.ts';
import { defineMethod } from './method.ts';

/**
 * Grad-CAM: a layer's feature maps, weighted by how much the score moves with each of them.
 *
 *     map = ReLU(Σ_k w_k A_k),   w_k = 1/(h·w) Σ_ij ∂y_c/∂A_k,ij
 *
 * A [N, C, h, w] are the layer's activations, y_c the target's score before Softmax. On a network that ends in
 * global average pooling and one linear layer, at its last map, this is CAM divided by h·w.
 *
 * @see Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization", 2017
 */
export const gradCam = defineMethod({
  id: 'grad-cam',
  title: 'Grad-CAM',
  summary: 'Where in a layer the evidence for the class lies: feature maps weighted by their mean gradient.',
  paper: 'https://arxiv.org/abs/1610.02391',
  version: '1',
  kind: 'map',
  needs: ['gradient', 'layer'],
  conventions: ['paper', 'torchcam', 'pytorch-grad-cam', 'captum'],
  params: z.strictObject(camParams),
  defaults: camDefaults,
  only: camOnly,
  build: (subject, setting) =>
    camOutput(subject, setting, (activation, gradient) =>
      weighted(subject.g, activation, mean(subject.g, gradient, [2, 3])),
    ),
});
