import { z } from 'zod';
import { sum } from '../../onnx/emit.ts';
import { defineMethod } from '../method.ts';
import { camDefaults, camOnly, camOutput, camParams } from '../shared/cam.ts';

/**
 * Layer activation: what a layer says, A [N, C, h, w] under Captum's convention; else the sum over channels as a map.
 *
 * @see `LayerActivation` of Captum
 */
export const layerActivation = defineMethod({
  id: 'layer-activation',
  title: 'Layer activation',
  summary: "A layer's own response, the same for every class.",
  paper: 'https://arxiv.org/abs/2009.07896',
  version: '1',
  kind: 'map',
  needs: ['layer'],
  conventions: ['paper', 'captum'],
  params: z.strictObject(camParams),
  defaults: camDefaults,
  only: camOnly,
  build: ({ g, layers }, setting) =>
    setting.convention === 'captum'
      ? g.emit('Identity', [layers[0]!])
      : camOutput(
          g,
          layers.map((layer) => sum(g, layer, [1], false)),
          setting,
        ),
});
