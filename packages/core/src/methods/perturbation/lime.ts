import { z } from 'zod';
import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import {
  add,
  div,
  matmul,
  mul,
  neg,
  relu,
  reshape,
  scale,
  shift,
  sub,
  sum,
  transpose,
} from '../../onnx/emit.ts';
import { float32 } from '../../tensor.ts';
import { defineMethod } from '../method.ts';
import { countOf, seedParam } from '../shared/noise.ts';
import { coinFlips, recordedCoalitions } from './coalitions.ts';
import { featureCount, featureParams, featuresOf, maskedRows, overImage } from './features.ts';

/**
 * LIME: the coefficients of a sparse linear model of the score around the image, [N, C, H, W].
 *
 *     attribution = argmin_β 1/(2 Σ w) Σ_s w_s (y_c(x_s) - β₀ - β·s)² + α|β|₁,   w_s = exp(-d_s²/(2·width²))
 *
 * s are random sets of features, x_s the image with only those, d_s = 1 - cos(x, x_s). The minimum is found by
 * iterative soft thresholding.
 *
 * @see Ribeiro, Singh & Guestrin, "Why Should I Trust You?", 2016; kernel and lasso as in Captum
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
  params: z.strictObject({
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
  aux: ['feature_mask', 'samples'],
  samples(setting, aux) {
    const count = featureCount(featuresOf(setting, aux));
    const { n_samples, seed } = setting.params;
    const kept = recordedCoalitions(aux, count) ?? coinFlips(seed, n_samples, count);
    return { kept: float32([kept.length, count], kept.flat()), counts: countOf(kept.length) };
  },
  fixed: (setting, aux) => ({ features: featuresOf(setting, aux) }),
  rows: (g, image, given, setting) => maskedRows(g, image, given, setting),
  // With z = (1, s): Σ w·z·zᵀ and Σ w·z·y hold all that the fit needs. y is told from the image's own score.
  each({ g, image, rows, split, scores, score }, { kept, counts }, { params }) {
    const [samples, count] = g.shape(kept!) as [number, number];
    const grid = split(rows);
    const size = g
      .shape(grid)
      .slice(2)
      .reduce((a, b) => a * b);
    const [images] = g.shape(grid) as [number];
    const flat = reshape(g, grid, [images, samples, size]);
    const original = reshape(g, image, [images, 1, size]);
    const dot = sum(g, mul(g, flat, original), [2], false);
    const length = (v: Value) => g.emit('Sqrt', [sum(g, mul(g, v, v), [2], false)]);
    const cosine = div(g, dot, g.emit('Max', [mul(g, length(flat), length(original)), g.scalar(1e-8)]));
    const distance = shift(g, neg(g, cosine), 1);
    const kernel = g.emit('Exp', [scale(g, mul(g, distance, distance), -1 / (2 * params.kernel_width ** 2))]);
    const weight = mul(g, kernel, counts!);
    const z = g.emit('Concat', [reshape(g, counts!, [samples, 1]), kept!], { axis: 1 });
    const weighted = mul(g, reshape(g, weight, [images, samples, 1]), reshape(g, z, [1, samples, count + 1]));
    const gram = matmul(g, transpose(g, weighted, [0, 2, 1]), reshape(g, z, [1, samples, count + 1]));
    const target = reshape(g, sub(g, scores, score), [images, samples, 1]);
    return { gram, moments: matmul(g, transpose(g, weighted, [0, 2, 1]), target) };
  },
  finish(g, image, { gram, moments, features }, { params }) {
    return overImage(g, image, lasso(g, gram!, moments!, params.alpha), features!);
  },
});

/** Enough for eight digits where there are several samples to a feature. */
const iterations = 100;

/** Coefficients [images, M] from the sums [images, 1 + M, 1 + M] and [images, 1 + M, 1]. */
function lasso(g: GraphBuilder, gram: Value, moments: Value, alpha: number): Value {
  const [images, size] = g.shape(gram) as [number, number];
  const part = (v: Value, rows: [number, number], columns: [number, number]) =>
    g.emit('Slice', [v, g.ints([rows[0], columns[0]]), g.ints([rows[1], columns[1]]), g.ints([1, 2])]);
  const total = part(gram, [0, 1], [0, 1]);
  const means = div(g, part(gram, [1, size], [0, 1]), total);
  const meanTarget = div(g, part(moments, [0, 1], [0, 1]), total);
  const covariance = sub(
    g,
    div(g, part(gram, [1, size], [1, size]), total),
    matmul(g, means, transpose(g, means, [0, 2, 1])),
  );
  const correlation = sub(g, div(g, part(moments, [1, size], [0, 1]), total), mul(g, means, meanTarget));
  // The largest sum of magnitudes in a row bounds the largest eigenvalue.
  const bound = g.emit('ReduceMax', [sum(g, g.emit('Abs', [covariance]), [2]), g.ints([1])], { keepdims: 1 });
  const threshold = div(g, g.scalar(alpha), bound);
  let beta = scale(g, correlation, 0);
  let ahead = beta;
  let momentum = 1;
  for (let i = 0; i < iterations; i++) {
    const step = add(g, ahead, div(g, sub(g, correlation, matmul(g, covariance, ahead)), bound));
    const next = mul(g, g.emit('Sign', [step]), relu(g, sub(g, g.emit('Abs', [step]), threshold)));
    const following = (1 + Math.sqrt(1 + 4 * momentum * momentum)) / 2;
    ahead = add(g, next, scale(g, sub(g, next, beta), (momentum - 1) / following));
    beta = next;
    momentum = i % 25 === 24 ? 1 : following; // starting afresh keeps the momentum from overshooting
  }
  return reshape(g, beta, [images, size - 1]);
}
