import type { Evidence } from '../shared/cam.ts';
import { gradientCam } from './gradient-cam.ts';

/** Computes w_k A_k with w_k = Σ α_k ReLU(G_k). */
export const gradCamPlusPlusEvidence: Evidence = (activation, gradient, convention) => {
  const square = gradient.square();
  const cube = square.mul(gradient);
  if (convention === 'torchcam') return cube.relu().sum([2, 3]).mul(activation);
  const total = activation.sum([2, 3]);
  const share = square.div(square.mul(2).add(total.mul(cube)).add(1e-6));
  const alpha = gradient.equals(0).not().where(share, 0);
  return gradient.relu().mul(alpha).sum([2, 3]).mul(activation);
};

/**
 * Grad-CAM++: positive gradients, weighted pixel by pixel so that each instance of the class counts.
 *
 *     map = ReLU(Σ_k w_k A_k),   w_k = Σ_ij α_k,ij ReLU(G_k,ij),   α = G² / (2G² + G³ Σ_ab A_k,ab + 1e-6)
 *
 * G = ∂y_c/∂A; α is 0 where G is. torchcam's division has no effect, so its weights are w_k = Σ_ij ReLU(G)³,
 * as under its convention here.
 *
 * @see Chattopadhyay et al., "Grad-CAM++: Improved Visual Explanations for Deep Convolutional Networks", 2018
 * @example createExplainer(classifier, { method: 'grad-cam-plus-plus', layers: ['-1'] }, runtime)
 */
export const gradCamPlusPlus = gradientCam(
  {
    id: 'grad-cam-plus-plus',
    title: 'Grad-CAM++',
    summary: 'Grad-CAM that sees several instances of a class: positive gradients, weighted pixel by pixel.',
    paper: 'https://arxiv.org/abs/1710.11063',
    conventions: ['paper', 'torchcam', 'pytorch-grad-cam'],
    deviations: {
      torchcam: 'Weights are Σ max(∂y/∂A, 0)³: its division by the denominator acts on a copy and is lost.',
      'pytorch-grad-cam': 'The denominator has ∂y³·ΣA with 1e-6, and weights are 0 where the gradient is.',
    },
  },
  gradCamPlusPlusEvidence,
);
