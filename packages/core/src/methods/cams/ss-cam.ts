import { z } from 'zod';
import { scale } from '../../onnx/emit.ts';
import { defineMethod } from '../method.ts';
import { camDefaults, camOnly, camParams } from '../shared/cam.ts';
import { noiseMade, seedParam } from '../shared/noise.ts';
import {
  activationOf,
  channelGains,
  channelMaskedRows,
  channelSamples,
  channelsOf,
  gainMap,
} from './masks.ts';

/**
 * SS-CAM: Score-CAM with the score averaged over noisy copies of each mask.
 *
 *     w = softmax_k(1/S Σ_s y_c((M_k + η_s,k) ⊙ x) - y_c(x)),   η ~ N(0, std²)
 *
 * @see Wang et al., "SS-CAM: Smoothed Score-CAM for Sharper Visual Feature Localization", 2020
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
  params: z.strictObject({
    ...camParams,
    num_samples: z.int().min(1).default(35).describe('Noisy copies of each mask'),
    std: z.number().min(0).default(2).describe('Standard deviation of the noise'),
    seed: seedParam,
  }),
  defaults: camDefaults,
  only: camOnly,
  aux: ['noise'],
  samples: (setting, aux) => {
    const { num_samples, seed } = setting.params;
    const channels = channelsOf(setting);
    const noise = noiseMade(seed, channels * num_samples, [setting.height, setting.width], aux);
    return { ...channelSamples(channels, num_samples), noise };
  },
  prepare: activationOf,
  rows: (g, image, given, setting) =>
    channelMaskedRows(g, image, given, setting, scale(g, given.noise!, setting.params.std)),
  each: channelGains,
  finish: (g, _, given, setting) => gainMap(g, given, setting),
});
