import { fem } from './fem.ts';
import { gradCam } from './grad-cam.ts';
import { gradCamElementWise } from './grad-cam-element-wise.ts';
import { gradCamPlusPlus } from './grad-cam-plus-plus.ts';
import { hiResCam } from './hi-res-cam.ts';
import { inputXGradient } from './input-x-gradient.ts';
import { integratedGradients } from './integrated-gradients.ts';
import { layerCam } from './layer-cam.ts';
import type { Method } from './method.ts';
import { occlusion } from './occlusion.ts';
import { saliency } from './saliency.ts';
import { shapleyCam } from './shapley-cam.ts';
import { xGradCam } from './x-grad-cam.ts';

/** Every method there is. Command line, API, documentation and conformance tests derive from this list. */
export const methods: readonly Method[] = [
  gradCam,
  gradCamPlusPlus,
  xGradCam,
  layerCam,
  hiResCam,
  gradCamElementWise,
  shapleyCam,
  fem,
  saliency,
  inputXGradient,
  integratedGradients,
  occlusion,
];
