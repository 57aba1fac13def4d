import { isWhole, surveyOf } from '../layers/find.ts';
import type { Layer } from '../layers/layers.ts';
import { besideOf } from '../layers/reached-places.ts';
import type { Network } from '../model/classifier.ts';

// Methods that suit an architecture. In a transformer, attention distinguishes patches and decides what of them reaches
// a class token; Grad-CAM sees the tokens of one block. Other networks compute classes from their last map. If no map
// shows all of the image, or another branch sees the image too, methods that use the image itself come first.

const ofAttention = ['le-grad', 'grad-cam', 'integrated-gradients', 'occlusion'] as const;
const ofMaps = ['grad-cam', 'layer-cam', 'integrated-gradients', 'occlusion'] as const;
const ofImages = ['integrated-gradients', 'occlusion', 'rise', 'grad-cam'] as const;

/**
 * Lists those methods that work and suit the network, the best first.
 *
 * @param layer the layer that is found in the network, if there is any
 */
export function recommendedMethods(
  network: Network,
  layer: Layer | undefined,
  works: (id: string) => boolean,
): string[] {
  const survey = surveyOf(network);
  const shown =
    layer &&
    isWhole(layer, survey.reached) &&
    !layer.region &&
    besideOf(network, layer.name, survey).every(({ kind, branch }) => kind !== 'map' && branch === undefined);
  const suiting = works('le-grad') ? ofAttention : shown ? ofMaps : ofImages;
  return suiting.filter(works);
}
