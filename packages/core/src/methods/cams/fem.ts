import { z } from 'zod';
import { add, mean, mul, scale, sub, sum } from '../../onnx/emit.ts';
import { defineMethod } from '../method.ts';
import { camDefaults, camOnly, camOutput, camParams } from '../shared/cam.ts';

/**
 * FEM: feature maps weighted by how much of each stands out, whatever the class.
 *
 *     map = ReLU(Σ_k w_k A_k),   w_k = share of places where A_k > mean(A_k) + k·std(A_k)
 *
 * @see Fuad et al., "Features Understanding in 3D CNNs for Actions Recognition in Video", 2020
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
  params: z.strictObject({
    ...camParams,
    k: z
      .number()
      .min(0)
      .default(2)
      .describe('How many standard deviations above the mean a strong response is'),
  }),
  defaults: camDefaults,
  only: camOnly,
  build({ g, layers }, setting) {
    const maps = layers.map((activation) => {
      const centre = mean(g, activation, [2, 3]);
      const off = sub(g, activation, centre);
      const deviation = g.emit('Sqrt', [mean(g, mul(g, off, off), [2, 3])]);
      const strong = g.emit('Greater', [activation, add(g, centre, scale(g, deviation, setting.params.k))]);
      const weights = mean(g, g.emit('Cast', [strong], { to: 1 }), [2, 3]);
      return sum(g, mul(g, weights, activation), [1], false);
    });
    return camOutput(g, maps, setting);
  },
});
