import { z } from 'zod';
import { InputError } from '../../errors.ts';
import { float32 } from '../../tensor.ts';
import { defineMethod } from '../method.ts';
import { weightedOnly, weightedParams } from '../shared/cam.ts';
import { seedParam } from '../shared/noise.ts';
import { uniform } from '../shared/random.ts';
import { replayed } from '../shared/replayed.ts';
import { channelsOf, weightedMap } from './masks.ts';

const parameters = z.strictObject({ ...weightedParams, seed: seedParam });

/**
 * Random-CAM: feature maps with random weights, for comparison: a method that is not better ignores the class.
 *
 *     map = ReLU(Σ_k w_k A_k),   w_k uniform in (-1, 1)
 *
 * All images have the same weights; pytorch-grad-cam draws new ones for each. Recorded `weights` [1, C] replace them.
 *
 * @see `RandomCAM` of pytorch-grad-cam
 * @example createExplainer(classifier, { method: 'random-cam', parameters: { seed: 7 } }, runtime)
 */
export const randomCam = defineMethod<z.infer<typeof parameters>>({
  id: 'random-cam',
  title: 'Random-CAM',
  summary: 'Feature maps with random weights: a control that knows nothing of the class.',
  paper: 'https://github.com/jacobgil/pytorch-grad-cam',
  version: '1',
  kind: 'map',
  needs: ['layer'],
  singleLayer: true,
  conventions: ['paper', 'pytorch-grad-cam'],
  parameters,
  only: weightedOnly,
  aux: ['weights'],
  explain({ layers, aux, given }, setting) {
    const channels = channelsOf(setting);
    const drawn = Array.from({ length: channels }, (_, k) => 2 * uniform(setting.parameters.seed, k) - 1);
    const { weights } = replayed({ weights: float32([1, channels], drawn) }, aux);
    if (weights.shape[0] !== 1)
      throw new InputError(
        'invalid_tensor',
        `aux "weights": expected [1, ${channels}], got [${weights.shape.join(', ')}]`,
      );
    return weightedMap(layers[0]!, given(weights), setting);
  },
});
