import type { Evidence } from '../shared/cam.ts';
import { gradientCam } from './gradient-cam.ts';

/** Computes ReLU(G ⊙ A). */
export const elementWiseEvidence: Evidence = (activation, gradient) => gradient.mul(activation).relu();

/**
 * Element-wise Grad-CAM: HiResCAM with negative products dropped before channels are summed.
 *
 *     map = Σ_k ReLU(G_k ⊙ A_k),   G = ∂y_c/∂A
 *
 * @see `GradCAMElementWise` of pytorch-grad-cam
 * @example createExplainer(classifier, { method: 'grad-cam-element-wise', layers: ['-1'] }, runtime)
 */
export const gradCamElementWise = gradientCam(
  {
    id: 'grad-cam-element-wise',
    title: 'Element-wise Grad-CAM',
    summary: 'Gradient times activation at each place, positive products only.',
    paper: 'https://arxiv.org/abs/2011.08891',
    conventions: ['paper', 'pytorch-grad-cam'],
  },
  elementWiseEvidence,
);
