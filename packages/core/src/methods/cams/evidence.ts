import type { Value } from '../../onnx/builder.ts';
import { div, mean, mul, relu, scale, shift, sum, where } from '../../onnx/emit.ts';
import type { Evidence } from '../shared/cam.ts';

// How activations A and gradients G = ∂y_c/∂A [N, C, h, w] become evidence, which a class activation map sums over
// channels. Each is described where its method is.

export const gradCamEvidence: Evidence = (g, activation, gradient) =>
  mul(g, mean(g, gradient, [2, 3]), activation);

export const hiResCamEvidence: Evidence = (g, activation, gradient) => mul(g, gradient, activation);

export const elementWiseEvidence: Evidence = (g, activation, gradient) =>
  relu(g, mul(g, gradient, activation));

export const layerCamEvidence: Evidence = (g, activation, gradient) => mul(g, relu(g, gradient), activation);

export const xGradCamEvidence: Evidence = (g, activation, gradient, convention) => {
  const total = sum(g, activation, [2, 3]);
  const epsilon = convention === 'pytorch-grad-cam' ? 1e-7 : 1e-8;
  const weights = div(g, sum(g, mul(g, gradient, activation), [2, 3]), shift(g, total, epsilon));
  return mul(g, weights, activation);
};

export const gradCamPlusPlusEvidence: Evidence = (g, activation, gradient, convention) => {
  const square = mul(g, gradient, gradient);
  const cube = mul(g, square, gradient);
  if (convention === 'torchcam') return mul(g, sum(g, relu(g, cube), [2, 3]), activation);
  const total = sum(g, activation, [2, 3]);
  const share: Value = div(
    g,
    square,
    shift(g, g.emit('Add', [scale(g, square, 2), mul(g, total, cube)]), 1e-6),
  );
  const moves = g.emit('Not', [g.emit('Equal', [gradient, g.scalar(0)])]);
  const alpha = where(g, moves, share, g.scalar(0));
  return mul(g, sum(g, mul(g, relu(g, gradient), alpha), [2, 3]), activation);
};

/** By method id, for methods that build on another's. */
export const evidenceOf = {
  'grad-cam': gradCamEvidence,
  'grad-cam-plus-plus': gradCamPlusPlusEvidence,
  'layer-cam': layerCamEvidence,
  'x-grad-cam': xGradCamEvidence,
  'hi-res-cam': hiResCamEvidence,
  'grad-cam-element-wise': elementWiseEvidence,
} as const satisfies Record<string, Evidence>;
