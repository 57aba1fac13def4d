import { z } from 'zod';
import { defineMethod } from '../method.ts';
import { mapOnly, mapParams } from '../shared/cam.ts';
import { noiseMade, seedParam } from '../shared/noise.ts';
import { channelsOf, gainMap, maskedGains } from './masks.ts';

/**
 * SS-CAM: Score-CAM with the score averaged over noisy copies of each mask.
 *
 *     w = softmax_k(1/S Σ_s y_c((M_k + η_s,k) ⊙ x) - y_c(x)),   η ~ N(0, std²)
 *
 * @see Wang et al., "SS-CAM: Smoothed Score-CAM for Sharper Visual Feature Localization", 2020
 * @example createExplainer(classifier, { method: 'ss-cam', parameters: { num_samples: 3, std: 0.5 } }, runtime)
 */
export const ssCam = defineMethod({
  id: 'ss-cam',
  title: 'SS-CAM',
  summary: 'Score-CAM with noise on each mask, and the scores averaged over it.',
  paper: 'https://arxiv.org/abs/2006.14255',
  version: '1',
  kind: 'map',
  needs: ['layer'],
  singleLayer: true,
  conventions: ['paper', 'torchcam'],
  parameters: z.strictObject({
    ...mapParams,
    num_samples: z.int().min(1).default(35).describe('Noisy copies of each mask'),
    std: z.number().min(0).default(2).describe('Standard deviation of the noise'),
    seed: seedParam,
  }),
  only: mapOnly,
  sampled: true,
  aux: ['noise'],
  explain(subject, setting) {
    const { num_samples: repeats, std, seed } = setting.parameters;
    const size = [setting.height, setting.width];
    const noise = noiseMade(seed, channelsOf(setting) * repeats, size, subject.aux);
    return gainMap(subject, maskedGains(subject, setting, { repeats, noise, std }), setting);
  },
});
