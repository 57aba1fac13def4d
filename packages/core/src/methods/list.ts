import { ablationCam } from './ablation-cam.ts';
import { attentionRollout } from './attention-rollout.ts';
import { cam } from './class-activation-map.ts';
import { deconvolution } from './deconvolution.ts';
import { deepLift } from './deep-lift.ts';
import { deepLiftShap } from './deep-lift-shap.ts';
import { eigenCam } from './eigen-cam.ts';
import { eigenGradCam } from './eigen-grad-cam.ts';
import { featureAblation } from './feature-ablation.ts';
import { fem } from './fem.ts';
import { finerCam } from './finer-cam.ts';
import { fullGrad } from './full-grad.ts';
import { gradCam } from './grad-cam.ts';
import { gradCamElementWise } from './grad-cam-element-wise.ts';
import { gradCamPlusPlus } from './grad-cam-plus-plus.ts';
import { gradientShap } from './gradient-shap.ts';
import { guidedBackprop } from './guided-backprop.ts';
import { guidedGradCam } from './guided-grad-cam.ts';
import { hiResCam } from './hi-res-cam.ts';
import { inputXGradient } from './input-x-gradient.ts';
import { integratedGradients } from './integrated-gradients.ts';
import { internalInfluence } from './internal-influence.ts';
import { isCam } from './is-cam.ts';
import { kernelShap } from './kernel-shap.ts';
import { kpcaCam } from './kpca-cam.ts';
import { layerActivation } from './layer-activation.ts';
import { layerCam } from './layer-cam.ts';
import { layerConductance } from './layer-conductance.ts';
import { layerDeepLift } from './layer-deep-lift.ts';
import { layerDeepLiftShap } from './layer-deep-lift-shap.ts';
import { layerFeatureAblation } from './layer-feature-ablation.ts';
import { layerGradientShap } from './layer-gradient-shap.ts';
import { layerGradientXActivation } from './layer-gradient-x-activation.ts';
import { layerIntegratedGradients } from './layer-integrated-gradients.ts';
import { layerLrp } from './layer-lrp.ts';
import { leGrad } from './le-grad.ts';
import { lime } from './lime.ts';
import { lrp } from './lrp.ts';
import type { Method } from './method.ts';
import { occlusion } from './occlusion.ts';
import { randomCam } from './random-cam.ts';
import { refineCam } from './refine-cam.ts';
import { rise } from './rise.ts';
import { saliency } from './saliency.ts';
import { scoreCam } from './score-cam.ts';
import { segEigenCam } from './seg-eigen-cam.ts';
import { shapleyCam } from './shapley-cam.ts';
import { shapleySampling } from './shapley-sampling.ts';
import { smoothGrad } from './smooth-grad.ts';
import { smoothGradCamPlusPlus } from './smooth-grad-cam-plus-plus.ts';
import { smoothGradSquared } from './smooth-grad-squared.ts';
import { ssCam } from './ss-cam.ts';
import { varGrad } from './var-grad.ts';
import { xGradCam } from './x-grad-cam.ts';

/** Every method there is. Command line, API, documentation and conformance tests derive from this list. */
export const methods: readonly Method[] = [
  gradCam,
  gradCamPlusPlus,
  smoothGradCamPlusPlus,
  xGradCam,
  layerCam,
  hiResCam,
  gradCamElementWise,
  scoreCam,
  ssCam,
  isCam,
  ablationCam,
  cam,
  shapleyCam,
  finerCam,
  refineCam,
  fem,
  eigenCam,
  eigenGradCam,
  kpcaCam,
  segEigenCam,
  fullGrad,
  leGrad,
  attentionRollout,
  randomCam,
  layerActivation,
  layerGradientXActivation,
  layerConductance,
  internalInfluence,
  layerIntegratedGradients,
  layerDeepLift,
  layerDeepLiftShap,
  layerLrp,
  layerGradientShap,
  layerFeatureAblation,
  saliency,
  inputXGradient,
  guidedBackprop,
  deconvolution,
  guidedGradCam,
  lrp,
  integratedGradients,
  smoothGrad,
  smoothGradSquared,
  varGrad,
  gradientShap,
  deepLift,
  deepLiftShap,
  occlusion,
  featureAblation,
  rise,
  shapleySampling,
  kernelShap,
  lime,
];
