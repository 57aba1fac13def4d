import { z } from 'zod';
import { defineMethod } from '../method.ts';
import { camDefaults, camOnly, camOutput, evidenceMaps, evidenceParams } from '../shared/cam.ts';
import { hiResCamEvidence } from './evidence.ts';

/**
 * HiResCAM: gradient times activation, place by place, without averaging over the map.
 *
 *     map = ReLU(Σ_k G_k ⊙ A_k),   G = ∂y_c/∂A
 *
 * @see Draelos & Carin, "Use HiResCAM instead of Grad-CAM for faithful explanations", 2020
 */
export const hiResCam = defineMethod({
  id: 'hi-res-cam',
  title: 'HiResCAM',
  summary: 'Gradient times activation at each place: only what the model used there.',
  paper: 'https://arxiv.org/abs/2011.08891',
  version: '1',
  kind: 'map',
  needs: ['gradient', 'layer'],
  conventions: ['paper', 'pytorch-grad-cam'],
  params: z.strictObject(evidenceParams),
  defaults: camDefaults,
  only: camOnly,
  build: (subject, setting) =>
    camOutput(subject.g, evidenceMaps(subject, setting, hiResCamEvidence), setting),
});
