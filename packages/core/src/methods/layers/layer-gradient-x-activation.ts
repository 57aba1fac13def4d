import { z } from 'zod';
import { mul, sum } from '../../onnx/emit.ts';
import { defineMethod } from '../method.ts';
import { camDefaults, camOnly, camOutput, camParams } from '../shared/cam.ts';

/**
 * Layer gradient × activation: A ⊙ ∂y_c/∂A [N, C, h, w] under Captum's convention; else the sum over channels as a
 * map, which is HiResCAM.
 *
 * @see `LayerGradientXActivation` of Captum
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
  params: z.strictObject(camParams),
  defaults: camDefaults,
  only: camOnly,
  build({ g, layers, gradients }, setting) {
    const slopes = gradients(layers);
    const products = layers.map((layer, i) => mul(g, layer, slopes[i]!));
    return setting.convention === 'captum'
      ? products[0]!
      : camOutput(
          g,
          products.map((p) => sum(g, p, [1], false)),
          setting,
        );
  },
});
