import { z } from 'zod';
import { camOnly, type Evidence, evidenceParams, fusions } from '../shared/cam.ts';
import { gradientCam } from './gradient-cam.ts';

/** Computes ReLU(G) ⊙ A. */
export const layerCamEvidence: Evidence = (activation, gradient) => gradient.relu().mul(activation);

/**
 * LayerCAM: each place of each feature map weighted by its own positive gradient, which also works in early layers.
 *
 *     map = ReLU(Σ_k ReLU(G_k) ⊙ A_k),   G = ∂y_c/∂A
 *
 * Maps of several layers, each min-maxed, are fused to the largest tanh(γ·map); pytorch-grad-cam takes their mean.
 *
 * @see Jiang et al., "LayerCAM: Exploring Hierarchical Class Activation Maps for Localization", 2021
 * @example
 * createExplainer(
 *   classifier,
 *   { method: 'layer-cam', layers: ['-2', '-1'], parameters: { fuse: 'tanh-max', gamma: 1.5 } },
 *   runtime,
 * )
 */
export const layerCam = gradientCam(
  {
    id: 'layer-cam',
    title: 'LayerCAM',
    summary: 'Feature maps weighted place by place with their positive gradient: sharp in early layers too.',
    paper: 'https://ieeexplore.ieee.org/document/9462463',
    conventions: ['paper', 'torchcam', 'pytorch-grad-cam'],
    deviations: {
      torchcam: 'Of several layers the largest tanh(2·map) counts.',
      'pytorch-grad-cam': 'Of several layers the mean of their maps counts.',
    },
    version: '2',
    parameters: z.strictObject({
      ...evidenceParams,
      fuse: z.enum(fusions).default('tanh-max').describe('How the maps of several layers become one'),
      gamma: z.number().min(0).default(2).describe('fuse=tanh-max: how steeply tanh lifts the maps'),
    }),
    only: { ...camOnly, gamma: ['paper', 'torchcam'] },
  },
  layerCamEvidence,
);
