import { z } from 'zod';
import { defineMethod } from '../method.ts';
import { camDefaults, camOnly, camOutput, camParams } from '../shared/cam.ts';
import { kernelScores, principalMap } from '../shared/principal.ts';

/**
 * KPCA-CAM: Eigen-CAM with kernel principal components.
 *
 *     map = ReLU(√λ u),   u the first eigenvector of the centred kernel K_ij = tanh(x_i·x_j / C + 1), λ its value
 *
 * x_i are the centred activations at place i. The place of largest magnitude is positive.
 *
 * @see Karmani et al., "KPCA-CAM: Visual Explainability of Deep Computer Vision Models Using Kernel PCA", 2024
 * @example createExplainer(classifier, { method: 'kpca-cam', layers: ['-1'] }, runtime)
 */
export const kpcaCam = defineMethod({
  id: 'kpca-cam',
  title: 'KPCA-CAM',
  summary: 'The first kernel principal component of a layer, the same for every class.',
  paper: 'https://arxiv.org/abs/2410.00267',
  version: '1',
  kind: 'map',
  needs: ['layer'],
  conventions: ['paper', 'pytorch-grad-cam'],
  parameters: z.strictObject(camParams),
  defaults: camDefaults,
  only: camOnly,
  explain: ({ layers }, setting) =>
    camOutput(
      layers.map((activation) => principalMap(activation, kernelScores)),
      setting,
    ),
});
