import { z } from 'zod';
import { defineMethod } from '../method.ts';
import { mapOnly, mapParams } from '../shared/cam.ts';
import { gainMap, maskedGains } from './masks.ts';

/**
 * IS-CAM: Score-CAM with the score averaged while each mask is faded in.
 *
 *     w = softmax_k(1/S Σ_s y_c(s/S · M_k ⊙ x) - y_c(x)),   s = 1 … S
 *
 * torchcam adds the steps up as it goes: its masks are scaled by 0.1, 0.3, 0.6, … 5.5 for S = 10.
 *
 * @see Naidu et al., "IS-CAM: Integrated Score-CAM for axiomatic-based explanations", 2020
 * @example createExplainer(classifier, { method: 'is-cam', parameters: { num_samples: 4 } }, runtime)
 */
export const isCam = defineMethod({
  id: 'is-cam',
  title: 'IS-CAM',
  summary: 'Score-CAM with each mask faded in, and the scores averaged on the way.',
  paper: 'https://arxiv.org/abs/2010.03023',
  version: '1',
  kind: 'map',
  needs: ['layer'],
  singleLayer: true,
  conventions: ['paper', 'torchcam'],
  deviations: {
    torchcam: 'Steps add up as they go: of 10, masks are scaled by 0.1, 0.3, 0.6 … 5.5.',
  },
  parameters: z.strictObject({
    ...mapParams,
    num_samples: z.int().min(1).default(10).describe('Steps from little of the mask to all of it'),
  }),
  only: mapOnly,
  sampled: true,
  explain(subject, setting) {
    const { num_samples: repeats } = setting.parameters;
    const shares = Array.from({ length: repeats }, (_, step) => (step + 1) / repeats);
    const summed = shares.map((_, step) => shares.slice(0, step + 1).reduce((a, b) => a + b));
    const factors = setting.convention === 'torchcam' ? summed : shares;
    return gainMap(subject, maskedGains(subject, setting, { repeats, factors }), setting);
  },
});
