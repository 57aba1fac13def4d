import { z } from 'zod';
import { defineMethod } from '../method.ts';
import { camDefaults, camOnly, camOutput, evidenceMaps, evidenceParams } from '../shared/cam.ts';
import { xGradCamEvidence } from './evidence.ts';

/**
 * XGrad-CAM: Grad-CAM whose weights are gradients averaged by activation, derived from sensitivity and conservation.
 *
 *     map = ReLU(Σ_k w_k A_k),   w_k = Σ_ij G_k,ij A_k,ij / (Σ_ij A_k,ij + ε),   G = ∂y_c/∂A
 *
 * ε is 1e-8; 1e-7 in pytorch-grad-cam.
 *
 * @see Fu et al., "Axiom-based Grad-CAM", 2020
 */
export const xGradCam = defineMethod({
  id: 'x-grad-cam',
  title: 'XGrad-CAM',
  summary: 'Grad-CAM with gradients weighted by the activations, so that the map accounts for the score.',
  paper: 'https://arxiv.org/abs/2008.02312',
  version: '1',
  kind: 'map',
  needs: ['gradient', 'layer'],
  conventions: ['paper', 'torchcam', 'pytorch-grad-cam'],
  oddities: {
    torchcam: '1e-8 is added to the sum of activations.',
    'pytorch-grad-cam': '1e-7 is added to the sum of activations.',
  },
  params: z.strictObject(evidenceParams),
  defaults: camDefaults,
  only: camOnly,
  build: (subject, setting) =>
    camOutput(subject.g, evidenceMaps(subject, setting, xGradCamEvidence), setting),
});
