import { z } from 'zod';
import { relevanceRules } from '../autodiff/relevance.ts';
import { mul, sum } from '../onnx/emit.ts';
import { camDefaults, camOnly, camOutput, camParams } from './cam.ts';
import { lrpParams } from './lrp.ts';
import { defineMethod } from './method.ts';

/**
 * Layer LRP: the relevance that arrives at each of a layer's values, by the rules of `lrp`. [N, C, h, w] under
 * Captum's convention; else the sum over channels as a map.
 *
 * @see `LayerLRP` of Captum; Bach et al., 2015
 */
export const layerLrp = defineMethod({
  id: 'layer-lrp',
  title: 'Layer LRP',
  summary: "The score shared out backwards by contribution, as far as a layer's values.",
  paper: 'https://doi.org/10.1371/journal.pone.0130140',
  version: '1',
  kind: 'map',
  axioms: ['linearity'],
  needs: ['gradient', 'layer'],
  conventions: ['paper', 'captum'],
  logitsOnly: true,
  params: z.strictObject({ ...camParams, ...lrpParams }),
  defaults: camDefaults,
  only: camOnly,
  build({ g, layers, nodes, gradients }, setting) {
    const ratios = gradients(layers, { rules: relevanceRules(nodes, setting.params) });
    const relevances = layers.map((layer, i) => mul(g, layer, ratios[i]!));
    return setting.convention === 'captum'
      ? relevances[0]!
      : camOutput(
          g,
          relevances.map((relevance) => sum(g, relevance, [1], false)),
          setting,
        );
  },
});
