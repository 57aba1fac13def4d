import type { Evidence } from '../shared/cam.ts';
import { gradientCam } from './gradient-cam.ts';

/** Computes G ⊙ A. */
export const hiResCamEvidence: Evidence = (activation, gradient) => gradient.mul(activation);

/**
 * HiResCAM: gradient times activation, place by place, without averaging over the map.
 *
 *     map = ReLU(Σ_k G_k ⊙ A_k),   G = ∂y_c/∂A
 *
 * @see Draelos & Carin, "Use HiResCAM instead of Grad-CAM for faithful explanations", 2020
 * @example createExplainer(classifier, { method: 'hi-res-cam', layers: ['-1'] }, runtime)
 */
export const hiResCam = gradientCam(
  {
    id: 'hi-res-cam',
    title: 'HiResCAM',
    summary: 'Gradient times activation at each place: only what the model used there.',
    paper: 'https://arxiv.org/abs/2011.08891',
    conventions: ['paper', 'pytorch-grad-cam'],
  },
  hiResCamEvidence,
);
