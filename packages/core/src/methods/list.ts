import { ablationCam } from './cams/ablation-cam.ts';
import { attentionRollout } from './cams/attention-rollout.ts';
import { chefer } from './cams/chefer.ts';
import { cam } from './cams/class-activation-map.ts';
import { eigenCam } from './cams/eigen-cam.ts';
import { eigenGradCam } from './cams/eigen-grad-cam.ts';
import { fem } from './cams/fem.ts';
import { finerCam } from './cams/finer-cam.ts';
import { fullGrad } from './cams/full-grad.ts';
import { gradCam } from './cams/grad-cam.ts';
import { gradCamElementWise } from './cams/grad-cam-element-wise.ts';
import { gradCamPlusPlus } from './cams/grad-cam-plus-plus.ts';
import { gradientRollout } from './cams/gradient-rollout.ts';
import { hiResCam } from './cams/hi-res-cam.ts';
import { isCam } from './cams/is-cam.ts';
import { kpcaCam } from './cams/kpca-cam.ts';
import { layerCam } from './cams/layer-cam.ts';
import { leGrad } from './cams/le-grad.ts';
import { randomCam } from './cams/random-cam.ts';
import { refineCam } from './cams/refine-cam.ts';
import { scoreCam } from './cams/score-cam.ts';
import { segEigenCam } from './cams/seg-eigen-cam.ts';
import { shapleyCam } from './cams/shapley-cam.ts';
import { smoothGradCamPlusPlus } from './cams/smooth-grad-cam-plus-plus.ts';
import { ssCam } from './cams/ss-cam.ts';
import { xGradCam } from './cams/x-grad-cam.ts';
import { blurIg } from './gradients/blur-ig.ts';
import { deconvolution } from './gradients/deconvolution.ts';
import { deepLift } from './gradients/deep-lift.ts';
import { deepLiftShap } from './gradients/deep-lift-shap.ts';
import { gradientShap } from './gradients/gradient-shap.ts';
import { guidedBackprop } from './gradients/guided-backprop.ts';
import { guidedGradCam } from './gradients/guided-grad-cam.ts';
import { guidedIg } from './gradients/guided-ig.ts';
import { inputXGradient } from './gradients/input-x-gradient.ts';
import { integratedGradients } from './gradients/integrated-gradients.ts';
import { lrp } from './gradients/lrp.ts';
import { saliency } from './gradients/saliency.ts';
import { smoothGrad } from './gradients/smooth-grad.ts';
import { smoothGradSquared } from './gradients/smooth-grad-squared.ts';
import { varGrad } from './gradients/var-grad.ts';
import { xrai } from './gradients/xrai.ts';
import { internalInfluence } from './layers/internal-influence.ts';
import { layerActivation } from './layers/layer-activation.ts';
import { layerConductance } from './layers/layer-conductance.ts';
import { layerDeepLift } from './layers/layer-deep-lift.ts';
import { layerDeepLiftShap } from './layers/layer-deep-lift-shap.ts';
import { layerFeatureAblation } from './layers/layer-feature-ablation.ts';
import { layerGradientShap } from './layers/layer-gradient-shap.ts';
import { layerGradientXActivation } from './layers/layer-gradient-x-activation.ts';
import { layerIntegratedGradients } from './layers/layer-integrated-gradients.ts';
import { layerLrp } from './layers/layer-lrp.ts';
import type { Method } from './method.ts';
import { featureAblation } from './perturbation/feature-ablation.ts';
import { hsic } from './perturbation/hsic.ts';
import { kernelShap } from './perturbation/kernel-shap.ts';
import { lime } from './perturbation/lime.ts';
import { occlusion } from './perturbation/occlusion.ts';
import { rise } from './perturbation/rise.ts';
import { shapleySampling } from './perturbation/shapley-sampling.ts';
import { sobol } from './perturbation/sobol.ts';
import { withAugmentation } from './shared/augmented.ts';

/** All methods. Command line, API, documentation and conformance tests derive from this list. */
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
  gradientRollout,
  chefer,
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
  guidedIg,
  blurIg,
  xrai,
  smoothGrad,
  smoothGradSquared,
  varGrad,
  gradientShap,
  deepLift,
  deepLiftShap,
  occlusion,
  featureAblation,
  rise,
  sobol,
  hsic,
  shapleySampling,
  kernelShap,
  lime,
].map(withAugmentation);
