import { z } from 'zod';
import { defineMethod } from '../method.ts';
import { seedParam } from '../shared/noise.ts';
import { recordedCoalitions, shapleyCoalitions } from './coalitions.ts';
import { featureCount, featureParams, featuresOf, linearAttribution, onceEach } from './features.ts';
import { fit } from './least-squares.ts';
import { superpixelsOf } from './superpixels.ts';

/**
 * Kernel SHAP: Shapley values as the coefficients of a linear model of the score, fitted to random sets of features
 * that are drawn by the Shapley kernel, [N, C, H, W].
 *
 *     attribution = argmin_β Σ_s w_s (y_c(x with set s) - β₀ - β·s)²,   w = 1, but 10⁶ for the full and the empty set
 *
 * The fit is linear in the scores: its matrix is known before any image is seen.
 *
 * @see Lundberg & Lee, "A Unified Approach to Interpreting Model Predictions", 2017
 * @example createExplainer(classifier, { method: 'kernel-shap', parameters: { grid: '2x3', n_samples: 20 } }, runtime)
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
  parameters: z.strictObject({
    ...featureParams('7x7'),
    n_samples: z.int().min(3).default(200).describe('Sets of features'),
    seed: seedParam,
  }),
  sampled: true,
  aux: ['feature_mask', 'samples'],
  samplesFrom: (setting) => superpixelsOf(setting),
  explain(subject, setting) {
    const { n_samples, seed } = setting.parameters;
    const count = featureCount(featuresOf(setting, subject.aux));
    const kept = recordedCoalitions(subject.aux, count) ?? shapleyCoalitions(seed, n_samples, count);
    const isExtreme = (set: readonly number[]) => set.every((v) => v === set[0]);
    const counts = kept.map((set) => (isExtreme(set) ? 1e6 : 1));
    return linearAttribution(subject, { kept, weights: fit(kept, counts) }, setting);
  },
});
