import { z } from 'zod';
import { defineMethod } from '../method.ts';
import { camDefaults, camOnly, camOutput, camParams } from '../shared/cam.ts';
import { principalMap } from '../shared/principal.ts';

/**
 * Eigen-CAM: a layer's places projected on their first principal direction.
 *
 *     map = ReLU(X v),   X the centred activations [h·w, C], v the first right singular vector of X
 *
 * The sign of a principal direction is arbitrary; here the place of largest magnitude is positive.
 *
 * @see Muhammad & Yeasin, "Eigen-CAM: Class Activation Map using Principal Components", 2020
 * @example createExplainer(classifier, { method: 'eigen-cam', layers: ['-1'] }, runtime)
 */
export const eigenCam = defineMethod({
  id: 'eigen-cam',
  title: 'Eigen-CAM',
  summary: 'What varies most in a layer: its first principal component, the same for every class.',
  paper: 'https://arxiv.org/abs/2008.00299',
  version: '1',
  kind: 'map',
  needs: ['layer'],
  conventions: ['paper', 'pytorch-grad-cam'],
  deviations: {
    'pytorch-grad-cam':
      'The sign of a principal direction is whatever LAPACK makes it; here the largest magnitude is positive.',
  },
  parameters: z.strictObject(camParams),
  defaults: camDefaults,
  only: camOnly,
  explain: ({ layers }, setting) =>
    camOutput(
      layers.map((activation) => principalMap(activation)),
      setting,
    ),
});
