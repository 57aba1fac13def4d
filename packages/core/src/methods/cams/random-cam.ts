import { z } from 'zod';
import { add, reshape, scale, slice, sum } from '../../onnx/emit.ts';
import { float32 } from '../../tensor.ts';
import { defineMethod } from '../method.ts';
import { camDefaults, camOnly, camParams } from '../shared/cam.ts';
import { seedParam } from '../shared/noise.ts';
import { uniform } from '../shared/random.ts';
import { replayed } from '../shared/replayed.ts';
import { activationOf, channelsOf, weightedMap } from './masks.ts';

const params = z.strictObject({ ...camParams, seed: seedParam });

/**
 * Random-CAM: feature maps with random weights, for comparison. A method that does no better has not looked at the class.
 *
 *     map = ReLU(Σ_k w_k A_k),   w_k uniform in (-1, 1)
 *
 * All images have the same weights, where pytorch-grad-cam draws anew; recorded `weights` [1, C] are replayed instead.
 *
 * @see `RandomCAM` of pytorch-grad-cam
 */
export const randomCam = defineMethod<z.infer<typeof params>>({
  id: 'random-cam',
  title: 'Random-CAM',
  summary: 'Feature maps with random weights: a control that knows nothing of the class.',
  paper: 'https://github.com/jacobgil/pytorch-grad-cam',
  version: '1',
  kind: 'map',
  needs: ['layer'],
  singleLayer: true,
  conventions: ['paper', 'pytorch-grad-cam'],
  params,
  defaults: camDefaults,
  only: camOnly,
  aux: ['weights'],
  startsAtLayer: true,
  samples(setting, aux) {
    const channels = channelsOf(setting);
    const drawn = Array.from({ length: channels }, (_, k) => 2 * uniform(setting.params.seed, k) - 1);
    return replayed({ weights: float32([1, channels], drawn) }, aux);
  },
  prepare: activationOf,
  rows(g, _, { activation, weights }) {
    const [, ...shape] = g.shape(activation!) as [number, ...number[]];
    const none = scale(g, slice(g, weights!, 1, 0, 1), 0);
    const samples = reshape(g, none, [1, g.shape(weights!)[0]!, 1, 1, 1]);
    return add(g, reshape(g, activation!, [1, 1, ...shape]), samples);
  },
  each: ({ g }, { weights }) => ({ weight: sum(g, weights!, [0]) }),
  finish: (g, _, { activation, weight }, setting) => weightedMap(g, activation!, weight!, setting),
});
