import { z } from 'zod';
import { defineMethod } from '../method.ts';
import { camDefaults, camOnly, camOutput, evidenceMaps, evidenceParams } from '../shared/cam.ts';
import { elementWiseEvidence } from './evidence.ts';

/**
 * Element-wise Grad-CAM: HiResCAM with negative products dropped before channels are summed.
 *
 *     map = Σ_k ReLU(G_k ⊙ A_k),   G = ∂y_c/∂A
 *
 * @see `GradCAMElementWise` of pytorch-grad-cam
 */
export const gradCamElementWise = defineMethod({
  id: 'grad-cam-element-wise',
  title: 'Element-wise Grad-CAM',
  summary: 'Gradient times activation at each place, positive products only.',
  paper: 'https://arxiv.org/abs/2011.08891',
  version: '1',
  kind: 'map',
  needs: ['gradient', 'layer'],
  conventions: ['paper', 'pytorch-grad-cam'],
  params: z.strictObject(evidenceParams),
  defaults: camDefaults,
  only: camOnly,
  build: (subject, setting) =>
    camOutput(subject.g, evidenceMaps(subject, setting, elementWiseEvidence), setting),
});
