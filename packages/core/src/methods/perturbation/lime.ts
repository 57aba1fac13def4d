import { z } from 'zod';
import { concat, type Expression } from '../../onnx/expression.ts';
import { float32, sizeOf } from '../../tensor.ts';
import { defineMethod } from '../method.ts';
import { seedParam } from '../shared/noise.ts';
import { coinFlips, recordedCoalitions } from './coalitions.ts';
import { featureCount, featureParams, featuresOf, maskedRows, overImage } from './features.ts';
import { superpixelsOf } from './superpixels.ts';

/**
 * LIME: the coefficients of a sparse linear model of the score around the image, [N, C, H, W].
 *
 *     attribution = argmin_β 1/(2 Σ w) Σ_s w_s (y_c(x_s) - β₀ - β·s)² + α|β|₁,   w_s = exp(-d_s²/(2·width²))
 *
 * s are random sets of features, x_s the image with only these, d_s = 1 - cos(x, x_s). The minimum is found by
 * iterative soft thresholding.
 *
 * @see Ribeiro, Singh & Guestrin, "Why Should I Trust You?", 2016; kernel and lasso as in Captum
 * @example
 * createExplainer(
 *   classifier,
 *   { method: 'lime', parameters: { grid: '2x3', n_samples: 20, alpha: 0.001 } },
 *   runtime,
 * )
 */
export const lime = defineMethod({
  id: 'lime',
  title: 'LIME',
  summary: 'A sparse linear model of the score, fitted to the image with random groups of pixels left out.',
  paper: 'https://arxiv.org/abs/1602.04938',
  version: '1',
  kind: 'pixels',
  axioms: ['implementation invariance'],
  needs: [],
  conventions: ['paper', 'captum'],
  parameters: z.strictObject({
    ...featureParams('7x7'),
    n_samples: z.int().min(2).default(200).describe('Sets of features'),
    alpha: z.number().min(0).default(0.01).describe('How much coefficients are held to zero'),
    kernel_width: z
      .number()
      .positive()
      .default(1)
      .describe('How far from the image a set may be and still count'),
    seed: seedParam,
  }),
  sampled: true,
  aux: ['feature_mask', 'samples'],
  samplesFrom: (setting) => superpixelsOf(setting),
  // With z = (1, s): the fit needs only Σ w·z·zᵀ and Σ w·z·y. y is relative to the image's own score.
  explain({ image, score, aux, at, over, given }, setting) {
    const { n_samples, seed, alpha, kernel_width } = setting.parameters;
    const cells = featuresOf(setting, aux);
    const features = given(cells);
    const count = featureCount(cells);
    const sets = recordedCoalitions(aux, count) ?? coinFlips(seed, n_samples, count);
    const samples = {
      kept: float32([sets.length, count], sets.flat()),
      counts: float32([sets.length, 1], Array<number>(sets.length).fill(1)),
    };
    const { gram, moments } = over(samples, ({ kept, counts }) => {
      const rows = maskedRows(image, kept, features, setting);
      const target = at(rows).score.sub(score);
      const weight = kernelOf(image, rows, kernel_width).mul(counts);
      const z = concat([counts, kept], 1);
      const weighted = weight.mul(z).transpose([1, 0]);
      return { gram: weighted.matmul(z).unsqueeze(0), moments: weighted.matmul(target).unsqueeze(0) };
    });
    return overImage(image, lasso(gram, moments, alpha), features);
  },
});

/** Computes exp(-d²/(2·width²)) with d = 1 - cos(image, row), [S, 1]. */
function kernelOf(image: Expression, rows: Expression, width: number): Expression {
  const size = sizeOf(image.shape.slice(1));
  const [flat, original] = [rows.reshape([rows.shape[0]!, size]), image.reshape([1, size])];
  const dot = flat.mul(original).sum([1]);
  const length = (v: Expression) => v.square().sum([1]).sqrt();
  const cosine = dot.div(length(flat).mul(length(original)).atLeast(1e-8));
  return cosine
    .neg()
    .add(1)
    .square()
    .mul(-1 / (2 * width ** 2))
    .exp();
}

/** Enough for eight digits if there are several samples per feature. */
const iterations = 100;

/** Computes coefficients [N, M] from the sums [N, 1 + M, 1 + M] and [N, 1 + M, 1]. */
function lasso(gram: Expression, moments: Expression, alpha: number): Expression {
  const [images, size] = gram.shape as [number, number];
  const part = (v: Expression, rows: [number, number], columns: [number, number]) =>
    v.slice(1, ...rows).slice(2, ...columns);
  const total = part(gram, [0, 1], [0, 1]);
  const means = part(gram, [1, size], [0, 1]).div(total);
  const meanTarget = part(moments, [0, 1], [0, 1]).div(total);
  const covariance = part(gram, [1, size], [1, size])
    .div(total)
    .sub(means.matmul(means.transpose([0, 2, 1])));
  const correlation = part(moments, [1, size], [0, 1]).div(total).sub(means.mul(meanTarget));
  // The largest sum of magnitudes in a row bounds the largest eigenvalue.
  const bound = covariance.abs().sum([2]).max([1]);
  const threshold = bound.number(alpha).div(bound);
  let beta = correlation.mul(0);
  let ahead = beta;
  let momentum = 1;
  for (let i = 0; i < iterations; i++) {
    const step = ahead.add(correlation.sub(covariance.matmul(ahead)).div(bound));
    const next = step.sign().mul(step.abs().sub(threshold).relu());
    const following = (1 + Math.sqrt(1 + 4 * momentum * momentum)) / 2;
    ahead = next.add(next.sub(beta).mul((momentum - 1) / following));
    beta = next;
    momentum = i % 25 === 24 ? 1 : following; // starting afresh keeps the momentum from overshooting
  }
  return beta.reshape([images, size - 1]);
}
