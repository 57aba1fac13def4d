import { z } from 'zod';
import {
  lrpDefaults,
  lrpInstead,
  lrpOddities,
  lrpOnly,
  lrpParams,
  relevanceAt,
} from '../gradients/relevance.ts';
import { defineMethod } from '../method.ts';
import { camDefaults, camOnly, camParams, layerOutput } from '../shared/cam.ts';

/**
 * Layer LRP: the relevance that arrives at each of a layer's values, by the rules of `lrp`. [N, C, h, w] under
 * Captum's convention; else the sum over channels as a map.
 *
 * @see `LayerLRP` of Captum; Bach et al., 2015
 * @example createExplainer(classifier, { method: 'layer-lrp', parameters: { composite: 'epsilon' } }, runtime)
 */
export const layerLrp = defineMethod({
  id: 'layer-lrp',
  title: 'Layer LRP',
  summary: "The score shared out backwards by contribution, as far as a layer's values.",
  paper: 'https://doi.org/10.1371/journal.pone.0130140',
  version: '2',
  kind: 'map',
  axioms: ['linearity'],
  needs: ['gradient', 'layer'],
  conventions: ['paper', 'captum'],
  deviations: lrpOddities,
  logitsOnly: true,
  parameters: z.strictObject({ ...camParams, ...lrpParams }),
  defaults: { ...camDefaults, ...lrpDefaults },
  only: { ...camOnly, ...lrpOnly },
  instead: lrpInstead,
  explain: (subject, setting) => layerOutput(relevanceAt(subject, subject.layers, setting), setting),
});
