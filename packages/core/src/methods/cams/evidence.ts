import type { Evidence } from '../shared/cam.ts';
import { gradCamEvidence } from './grad-cam.ts';
import { elementWiseEvidence } from './grad-cam-element-wise.ts';
import { gradCamPlusPlusEvidence } from './grad-cam-plus-plus.ts';
import { hiResCamEvidence } from './hi-res-cam.ts';
import { layerCamEvidence } from './layer-cam.ts';
import { xGradCamEvidence } from './x-grad-cam.ts';

/** Functions from activations A and gradients G = ∂y_c/∂A to evidence, by method id: for methods based on another. */
export const evidenceOf = {
  'grad-cam': gradCamEvidence,
  'grad-cam-plus-plus': gradCamPlusPlusEvidence,
  'layer-cam': layerCamEvidence,
  'x-grad-cam': xGradCamEvidence,
  'hi-res-cam': hiResCamEvidence,
  'grad-cam-element-wise': elementWiseEvidence,
} as const satisfies Record<string, Evidence>;
