import { z } from 'zod';
import { defineMethod } from '../method.ts';
import { baselineOf } from '../shared/baseline.ts';
import { seedParam } from '../shared/noise.ts';
import { recordedCoalitions, shapleyCoalitions } from './coalitions.ts';
import {
  featureCount,
  featureParams,
  featuresOf,
  linearSamples,
  linearSums,
  maskedRows,
  onceEach,
  overImage,
} from './features.ts';
import { fit } from './least-squares.ts';

/**
 * Kernel SHAP: Shapley values as the coefficients of a linear model of the score, fitted to random sets of features
 * that are drawn by the Shapley kernel, [N, C, H, W].
 *
 *     attribution = argmin_β Σ_s w_s (y_c(x with set s) - β₀ - β·s)²,   w = 1, but 10⁶ for all and for none
 *
 * The fit is linear in the scores: its matrix is known before any image is seen.
 *
 * @see Lundberg & Lee, "A Unified Approach to Interpreting Model Predictions", 2017
 */
export const kernelShap = defineMethod({
  id: 'kernel-shap',
  title: 'Kernel SHAP',
  summary: 'Shapley values of groups of pixels, by fitting a linear model to random sets of them.',
  paper: 'https://arxiv.org/abs/1705.07874',
  version: '1',
  kind: 'pixels',
  axioms: ['completeness', 'linearity', 'implementation invariance'],
  provided: { completeness: onceEach },
  needs: [],
  conventions: ['paper', 'captum'],
  params: z.strictObject({
    ...featureParams('7x7'),
    n_samples: z.int().min(3).default(200).describe('Sets of features'),
    seed: seedParam,
  }),
  aux: ['feature_mask', 'samples'],
  samples(setting, aux) {
    const count = featureCount(featuresOf(setting, aux));
    const { n_samples, seed } = setting.params;
    const kept = recordedCoalitions(aux, count) ?? shapleyCoalitions(seed, n_samples, count);
    const extreme = (set: readonly number[]) => set.every((v) => v === set[0]);
    return linearSamples(
      kept,
      fit(
        kept,
        kept.map((set) => (extreme(set) ? 1e6 : 1)),
      ),
    );
  },
  fixed: (setting, aux) => ({ features: featuresOf(setting, aux) }),
  rows: (g, image, given, setting) => maskedRows(g, image, given, setting),
  each: linearSums,
  finish: (g, image, { credit, features }) => overImage(g, image, credit!, features!),
  baseline: (g, image, setting) => baselineOf(g, image, setting.params.baseline, setting),
  shares: (_g, _image, { credit }) => credit!,
});
