import { z } from 'zod';
import {
  featureCount,
  featureParams,
  featuresOf,
  linearSamples,
  linearSums,
  maskedRows,
  overImage,
} from './features.ts';
import { defineMethod } from './method.ts';

/**
 * Feature ablation: how far the score drops when one group of pixels is replaced by the baseline, [N, C, H, W].
 *
 *     attribution of feature m = y_c(x) - y_c(x without m)
 *
 * Features are the cells of a grid, or those of a recorded `feature_mask`.
 *
 * @see `FeatureAblation` of Captum
 */
export const featureAblation = defineMethod({
  id: 'feature-ablation',
  title: 'Feature ablation',
  summary: 'How far the score drops when a group of pixels is taken away.',
  paper: 'https://arxiv.org/abs/2009.07896',
  version: '1',
  kind: 'pixels',
  needs: [],
  conventions: ['paper', 'captum'],
  params: z.strictObject(featureParams('16x16')),
  aux: ['feature_mask'],
  samples(setting, aux) {
    const count = featureCount(featuresOf(setting, aux));
    const each = (inside: number, outside: number) =>
      Array.from({ length: count }, (_, s) =>
        Array.from({ length: count }, (_, m) => (m === s ? inside : outside)),
      );
    return linearSamples(each(0, 1), each(-1, 0));
  },
  fixed: (setting, aux) => ({ features: featuresOf(setting, aux) }),
  rows: (g, image, given, setting) => maskedRows(g, image, given, setting),
  each: linearSums,
  finish: (g, image, { credit, features }) => overImage(g, image, credit!, features!),
});
