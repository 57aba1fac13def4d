import { z } from 'zod';
import { defineMethod } from '../method.ts';
import { weightedOnly, weightedParams } from '../shared/cam.ts';
import { gainMap, maskedGains } from './masks.ts';

/**
 * Score-CAM: feature maps weighted by the change of the score if the image is masked by each.
 *
 *     map = ReLU(Σ_k w_k A_k),   w = softmax_k(y_c(M_k ⊙ x) - y_c(x)),   M_k = A_k at input size, min-maxed
 *
 * torchcam min-maxes A_k before it is resized, pytorch-grad-cam after it is resized with aligned corners.
 *
 * @see Wang et al., "Score-CAM: Score-Weighted Visual Explanations for Convolutional Neural Networks", 2020
 * @example createExplainer(classifier, { method: 'score-cam', layers: ['-1'] }, runtime)
 */
export const scoreCam = defineMethod({
  id: 'score-cam',
  title: 'Score-CAM',
  summary: 'Feature maps weighted by what the score becomes when only they are seen; no gradients.',
  paper: 'https://arxiv.org/abs/1910.01279',
  version: '1',
  kind: 'map',
  needs: ['layer'],
  singleLayer: true,
  conventions: ['paper', 'torchcam', 'pytorch-grad-cam'],
  deviations: {
    torchcam: "Masks are min-maxed at the layer's size and then grown, with half-pixel centres.",
    'pytorch-grad-cam': 'Masks are grown with their corners aligned and then min-maxed.',
  },
  parameters: z.strictObject(weightedParams),
  only: weightedOnly,
  sampled: true,
  explain: (subject, setting) => gainMap(subject, maskedGains(subject, setting), setting),
});
