import { z } from 'zod';
import { defineMethod } from '../method.ts';
import { camDefaults, camOnly, camOutput, camParams } from '../shared/cam.ts';
import { weighted } from './gradient-cam.ts';

/**
 * FEM: feature maps weighted by the share of their strong responses, whatever the class.
 *
 *     map = ReLU(Σ_k w_k A_k),   w_k = share of places where A_k > mean(A_k) + k·std(A_k)
 *
 * @see Fuad et al., "Features Understanding in 3D CNNs for Actions Recognition in Video", 2020
 * @example createExplainer(classifier, { method: 'fem', parameters: { k: 1 } }, runtime)
 */
export const fem = defineMethod({
  id: 'fem',
  title: 'FEM',
  summary: 'Feature maps weighted by their rare strong responses; the same for every class.',
  paper: 'https://ieeexplore.ieee.org/document/9286629',
  version: '1',
  kind: 'map',
  needs: ['layer'],
  conventions: ['paper', 'pytorch-grad-cam'],
  parameters: z.strictObject({
    ...camParams,
    k: z
      .number()
      .min(0)
      .default(2)
      .describe('How many standard deviations above the mean a strong response is'),
  }),
  defaults: camDefaults,
  only: camOnly,
  explain({ layers }, setting) {
    const maps = layers.map((activation) => {
      const centre = activation.mean([2, 3]);
      const deviation = activation.sub(centre).square().mean([2, 3]).sqrt();
      const strong = activation.isGreater(centre.add(deviation.mul(setting.parameters.k)));
      return weighted(strong.cast('float32').mean([2, 3]), activation);
    });
    return camOutput(maps, setting);
  },
});
