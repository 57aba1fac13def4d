import { isWhole, surveyOf } from '../layers/find.ts';
import type { Layer } from '../layers/layers.ts';
import { besideOf } from '../layers/reached-places.ts';
import type { Network } from '../model/classifier.ts';

// Which methods suit an architecture. A transformer's attention is what its patches are told apart by, and what of them
// reaches a class token; Grad-CAM sees the tokens of one block. Elsewhere the last map of a network is what a class is
// read from. Where no map shows all of the image, or another branch sees it too, methods that look at the image itself
// come first.

const ofAttention = ['le-grad', 'grad-cam', 'integrated-gradients', 'occlusion'] as const;
const ofMaps = ['grad-cam', 'layer-cam', 'integrated-gradients', 'occlusion'] as const;
const ofImages = ['integrated-gradients', 'occlusion', 'rise', 'grad-cam'] as const;

/**
 * Of the methods that work, those that suit the network, the best first.
 *
 * @param layer the one that is found, if there is any
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
