import { z } from 'zod';
import { InputError } from '../../errors.ts';
import { int64, sizeOf } from '../../tensor.ts';
import { defineMethod, type Samples, type Setting } from '../method.ts';
import { ablationDrops, featureCount, overImage, renumbered } from '../perturbation/features.ts';
import { layerOutput, mapOnly, mapParams } from '../shared/cam.ts';

/** The most groups: each needs a pass through the rest of the network, and a number in the graph. */
const mostGroups = 2 ** 20;

/**
 * Layer feature ablation: how far the score drops if a group of a layer's values is replaced.
 *
 *     attribution of group m = y_c(A) - y_c(A without m)
 *
 * Groups are single values, or those of a recorded `layer_mask`. Only the network after the layer is evaluated.
 * [N, C, h, w] under Captum's convention; else the sum over channels as a map.
 *
 * @see `LayerFeatureAblation` of Captum
 * @example
 * createExplainer(
 *   classifier,
 *   { method: 'layer-feature-ablation', layers: ['-1'], parameters: { layer_baseline: 0.5 } },
 *   runtime,
 * )
 */
export const layerFeatureAblation = defineMethod({
  id: 'layer-feature-ablation',
  title: 'Layer feature ablation',
  summary: 'How far the score drops when values of a layer are taken away, one after another or in groups.',
  paper: 'https://arxiv.org/abs/2009.07896',
  version: '1',
  kind: 'map',
  axioms: ['linearity'],
  needs: ['layer'],
  singleLayer: true,
  conventions: ['paper', 'captum'],
  parameters: z.strictObject({
    ...mapParams,
    layer_baseline: z.number().default(0).describe("What takes the place of a layer's values"),
  }),
  only: mapOnly,
  sampled: true,
  aux: ['layer_mask'],
  explain(subject, setting) {
    const { layers, aux, from, given } = subject;
    const groups = groupsOf(setting, aux);
    const features = given(groups);
    const drops = ablationDrops(subject, featureCount(groups), (feature) => {
      const away = feature.reshape([feature.shape[0]!, 1, 1, 1]).equals(features);
      return from(away.where(setting.parameters.layer_baseline, layers[0]!));
    });
    return layerOutput([overImage(layers[0]!, drops, features)], setting);
  },
});

/** Gives the group that each value of the layer belongs to, [C or 1, h or 1, w or 1]. */
function groupsOf({ layerShapes }: Setting<unknown>, { layer_mask }: Samples) {
  const shape = layerShapes[0]!;
  if (layer_mask) return renumbered('layer_mask', layer_mask, shape, 'NCHW');
  const count = sizeOf(shape);
  if (count > mostGroups)
    throw new InputError(
      'invalid_parameter',
      `layer-feature-ablation hides each value of the layer by itself: expected at most ${mostGroups}, got ${count} (${shape.join('x')}); take a smaller layer, or group them with layer_mask`,
    );
  return int64(
    shape,
    Array.from({ length: count }, (_, i) => i),
  );
}
