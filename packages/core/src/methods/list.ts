import { gradCam } from './grad-cam.ts';
import { integratedGradients } from './integrated-gradients.ts';
import type { Method } from './method.ts';
import { occlusion } from './occlusion.ts';
import { saliency } from './saliency.ts';

/** Every method there is. Command line, API, documentation and conformance tests derive from this list. */
export const methods: readonly Method[] = [gradCam, saliency, integratedGradients, occlusion];
