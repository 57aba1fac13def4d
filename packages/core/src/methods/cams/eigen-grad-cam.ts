import { z } from 'zod';
import { defineMethod } from '../method.ts';
import { camDefaults, camOnly, camOutput, camParams } from '../shared/cam.ts';
import { principalMap } from '../shared/principal.ts';

/**
 * Eigen-Grad-CAM: Eigen-CAM of gradient times activation.
 *
 *     map = ReLU(X v),   X the centred G ⊙ A [h·w, C], v the first right singular vector of X,   G = ∂y_c/∂A
 *
 * The sign of a principal direction is arbitrary; here the place of largest magnitude is positive.
 *
 * @see `EigenGradCAM` of pytorch-grad-cam; Muhammad & Yeasin, "Eigen-CAM", 2020
 * @example createExplainer(classifier, { method: 'eigen-grad-cam', layers: ['-1'] }, runtime)
 */
export const eigenGradCam = defineMethod({
  id: 'eigen-grad-cam',
  title: 'Eigen-Grad-CAM',
  summary: 'The first principal component of gradient times activation: Eigen-CAM for a class.',
  paper: 'https://arxiv.org/abs/2008.00299',
  version: '1',
  kind: 'map',
  needs: ['gradient', 'layer'],
  conventions: ['paper', 'pytorch-grad-cam'],
  deviations: {
    'pytorch-grad-cam':
      'The sign of a principal direction is whatever LAPACK makes it; here the largest magnitude is positive.',
  },
  parameters: z.strictObject(camParams),
  defaults: camDefaults,
  only: camOnly,
  explain: ({ layers, gradients }, setting) =>
    camOutput(
      gradients(layers).map((slope, i) => principalMap(slope.mul(layers[i]!))),
      setting,
    ),
});
