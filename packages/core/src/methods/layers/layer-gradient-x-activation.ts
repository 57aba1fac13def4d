import { z } from 'zod';
import { defineMethod } from '../method.ts';
import { camDefaults, camOnly, camParams, layerOutput } from '../shared/cam.ts';

/**
 * Layer gradient × activation: A ⊙ ∂y_c/∂A [N, C, h, w] under Captum's convention; else the sum over channels as a
 * map, which is HiResCAM.
 *
 * @see `LayerGradientXActivation` of Captum
 * @example createExplainer(classifier, { method: 'layer-gradient-x-activation', layers: ['-1'] }, runtime)
 */
export const layerGradientXActivation = defineMethod({
  id: 'layer-gradient-x-activation',
  title: 'Layer gradient × activation',
  summary: "Each of a layer's values times how fast the score changes with it.",
  paper: 'https://arxiv.org/abs/2009.07896',
  version: '1',
  kind: 'map',
  axioms: ['linearity'],
  needs: ['gradient', 'layer'],
  conventions: ['paper', 'captum'],
  parameters: z.strictObject(camParams),
  defaults: camDefaults,
  only: camOnly,
  explain({ layers, gradients }, setting) {
    const slopes = gradients(layers);
    return layerOutput(
      layers.map((layer, i) => layer.mul(slopes[i]!)),
      setting,
    );
  },
});
