import { z } from 'zod';
import { defineMethod, type Setting } from '../method.ts';
import {
  ablationDrops,
  type FeatureParams,
  featureCount,
  featureParams,
  featuresOf,
  gridOf,
  gridSpans,
  overImage,
} from './features.ts';
import { boxesHider, type HiddenBoxes } from './hidden-boxes.ts';
import { superpixelsOf } from './superpixels.ts';

/**
 * Feature ablation: how far the score drops if one group of pixels is replaced by the baseline, [N, C, H, W].
 *
 *     attribution of feature m = y_c(x) - y_c(x without m)
 *
 * Features are the cells of a grid, or those of a recorded `feature_mask`.
 *
 * @see `FeatureAblation` of Captum
 * @example createExplainer(classifier, { method: 'feature-ablation', parameters: { grid: '2x3' } }, runtime)
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
  parameters: z.strictObject(featureParams('16x16')),
  sampled: true,
  aux: ['feature_mask'],
  samplesFrom: (setting) => superpixelsOf(setting),
  explain(subject, setting) {
    const { image, aux, given } = subject;
    const cells = featuresOf(setting, aux);
    const features = given(cells);
    const hidden = boxesHider(subject, setting, aux.feature_mask ? undefined : cellsOf(setting));
    const drops = ablationDrops(subject, featureCount(cells), (feature) =>
      hidden({ feature }, () => feature.reshape([feature.shape[0]!, 1, 1, 1]).equals(features)),
    );
    return overImage(image, drops, features);
  },
});

/** Gives the cells of the grid as boxes. */
function cellsOf(setting: Setting<FeatureParams>): HiddenBoxes<'feature'> {
  const [rows, columns] = gridOf(setting);
  return {
    rows: gridSpans(setting.height, rows),
    columns: gridSpans(setting.width, columns),
    of: ({ feature }) => ({ row: feature.div(columns), column: feature.emit('Mod', [columns]) }),
  };
}
