import type { Evidence } from '../shared/cam.ts';
import { gradientCam } from './gradient-cam.ts';

/** Computes w_k A_k with w_k = Σ G_k ⊙ A_k / (Σ A_k + ε). */
export const xGradCamEvidence: Evidence = (activation, gradient, convention) => {
  const total = activation.sum([2, 3]);
  const epsilon = convention === 'pytorch-grad-cam' ? 1e-7 : 1e-8;
  const weights = gradient.mul(activation).sum([2, 3]).div(total.add(epsilon));
  return weights.mul(activation);
};

/**
 * XGrad-CAM: Grad-CAM whose weights are gradients averaged by activation, derived from sensitivity and conservation.
 *
 *     map = ReLU(Σ_k w_k A_k),   w_k = Σ_ij G_k,ij A_k,ij / (Σ_ij A_k,ij + ε),   G = ∂y_c/∂A
 *
 * ε is 1e-8; 1e-7 in pytorch-grad-cam.
 *
 * @see Fu et al., "Axiom-based Grad-CAM", 2020
 * @example createExplainer(classifier, { method: 'x-grad-cam', layers: ['-1'] }, runtime)
 */
export const xGradCam = gradientCam(
  {
    id: 'x-grad-cam',
    title: 'XGrad-CAM',
    summary: 'Grad-CAM with gradients weighted by the activations, so that the map accounts for the score.',
    paper: 'https://arxiv.org/abs/2008.02312',
    conventions: ['paper', 'torchcam', 'pytorch-grad-cam'],
    deviations: {
      torchcam: '1e-8 is added to the sum of activations.',
      'pytorch-grad-cam': '1e-7 is added to the sum of activations.',
    },
  },
  xGradCamEvidence,
);
