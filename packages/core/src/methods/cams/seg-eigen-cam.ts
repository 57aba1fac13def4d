import { z } from 'zod';
import { defineMethod } from '../method.ts';
import { camDefaults, camOnly, camOutput, camParams } from '../shared/cam.ts';
import { principalMap } from '../shared/principal.ts';

/**
 * Seg-Eigen-CAM: Eigen-CAM of activations weighted with the magnitude of the score's gradient.
 *
 *     map = ReLU(X v),   X the centred |G| ⊙ A [h·w, C], v the first right singular vector of X,   G = ∂y_c/∂A
 *
 * The place of largest magnitude is positive.
 *
 * @see `SegEigenCAM` of pytorch-grad-cam
 * @example createExplainer(classifier, { method: 'seg-eigen-cam', layers: ['-1'] }, runtime)
 */
export const segEigenCam = defineMethod({
  id: 'seg-eigen-cam',
  title: 'Seg-Eigen-CAM',
  summary: 'The first principal component of activations weighted with the magnitude of their gradient.',
  paper: 'https://github.com/jacobgil/pytorch-grad-cam',
  version: '1',
  kind: 'map',
  needs: ['gradient', 'layer'],
  conventions: ['paper', 'pytorch-grad-cam'],
  parameters: z.strictObject(camParams),
  defaults: camDefaults,
  only: camOnly,
  explain: ({ layers, gradients }, setting) =>
    camOutput(
      gradients(layers).map((slope, i) => principalMap(slope.abs().mul(layers[i]!))),
      setting,
    ),
});
