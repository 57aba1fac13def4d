import { z } from 'zod';
import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { equal, matmul, mul, reshape, sub, unsqueeze, where } from '../../onnx/emit.ts';
import { int64 } from '../../tensor.ts';
import { defineMethod, type SampledSubject, type Values } from '../method.ts';
import { baselineOf } from '../shared/baseline.ts';
import { countOf } from '../shared/noise.ts';
import { featureCount, featureParams, featuresOf, gridOf, gridSpans, overImage } from './features.ts';
import { incrementally } from './hidden-boxes.ts';

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
  axioms: ['dummy', 'linearity', 'implementation invariance'],
  needs: [],
  conventions: ['paper', 'captum'],
  params: z.strictObject(featureParams('16x16')),
  aux: ['feature_mask'],
  incremental(network, setting) {
    const [rows, columns] = gridOf(setting);
    return incrementally(network, setting, {
      rows: gridSpans(setting.height, rows),
      columns: gridSpans(setting.width, columns),
      of(g, { feature }) {
        const across = g.constant(int64([], [columns]));
        return { row: g.emit('Div', [feature!, across]), column: g.emit('Mod', [feature!, across]) };
      },
    });
  },
  samples(setting, aux) {
    return ablationSamples(featureCount(featuresOf(setting, aux)));
  },
  fixed(setting, aux) {
    const features = featuresOf(setting, aux);
    return { features, ...numbered(featureCount(features)) };
  },
  rows(g, image, { feature, features }, setting) {
    const away = equal(g, column(g, feature!, 3), features!);
    return where(g, unsqueeze(g, away, [0]), baselineOf(g, image, setting.params.baseline, setting), image);
  },
  each: ablationSums,
  finish: (g, image, { credit, features }) => overImage(g, image, credit!, features!),
});

/** A feature after the other. */
export const ablationSamples = (count: number) => ({
  feature: numbered(count).numbers,
  share: countOf(count),
});

/** y(image) - y(image without feature), [images, M]. */
export function ablationSums(
  { g, score, scores }: SampledSubject,
  { feature, share, numbers }: Values,
): Values {
  const own = g.emit('Cast', [equal(g, column(g, feature!, 1), numbers!)], { to: 1 });
  return { credit: matmul(g, mul(g, sub(g, score, scores), share!), own) };
}

export const numbered = (count: number) => ({
  numbers: int64(
    [count],
    Array.from({ length: count }, (_, m) => m),
  ),
});

/** [samples] → [samples, 1, …] with as many ones as asked for. */
const column = (g: GraphBuilder, value: Value, ones: number): Value =>
  reshape(g, value, [g.shape(value)[0]!, ...Array<number>(ones).fill(1)]);
