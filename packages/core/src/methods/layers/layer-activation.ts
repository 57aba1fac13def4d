import { z } from 'zod';
import { defineMethod } from '../method.ts';
import { camDefaults, camOnly, camParams, layerOutput } from '../shared/cam.ts';

/**
 * Layer activation: a layer's values, A [N, C, h, w] under Captum's convention; else the sum over channels as a map.
 *
 * @see `LayerActivation` of Captum
 * @example createExplainer(classifier, { method: 'layer-activation', layers: ['-1'] }, runtime)
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
  parameters: z.strictObject(camParams),
  defaults: camDefaults,
  only: camOnly,
  explain: ({ layers }, setting) =>
    layerOutput(
      setting.convention === 'captum' ? layers.map((layer) => layer.emit('Identity')) : layers,
      setting,
    ),
});
