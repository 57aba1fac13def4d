import { z } from 'zod';
import { defineMethod } from '../method.ts';
import { camOnly, camOutput, camParams, evidenceMaps } from '../shared/cam.ts';
import { evidenceOf } from './evidence.ts';

/**
 * RefineCAM: the product of the maps of several layers, so that early layers add detail to regions of late layers.
 *
 *     map = minmax(Π_l minmax(map_l at the largest size))
 *
 * Name two layers or more.
 *
 * @see `RefineCAM` of torchcam and pytorch-grad-cam
 * @example
 * createExplainer(
 *   classifier,
 *   { method: 'refine-cam', layers: ['-2', '-1'], parameters: { base: 'x-grad-cam' } },
 *   runtime,
 * )
 */
export const refineCam = defineMethod({
  id: 'refine-cam',
  title: 'RefineCAM',
  summary: 'The product of the maps of several layers: early detail where late layers agree.',
  paper: 'https://github.com/frgfm/torch-cam',
  version: '1',
  kind: 'map',
  needs: ['gradient', 'layer'],
  conventions: ['paper', 'torchcam', 'pytorch-grad-cam'],
  deviations: {
    'pytorch-grad-cam':
      "Maps are multiplied at the image's size, after the second min-max; torchcam multiplies at the largest layer's.",
  },
  parameters: z.strictObject({
    ...camParams,
    fuse: z.literal('product').default('product').describe('How the maps of several layers become one'),
    base: z
      .enum(['grad-cam', 'grad-cam-plus-plus', 'layer-cam', 'x-grad-cam'])
      .default('grad-cam-plus-plus')
      .describe('The map that is made of each layer'),
  }),
  only: camOnly,
  explain: (subject, setting) =>
    camOutput(evidenceMaps(subject, setting, evidenceOf[setting.parameters.base]), setting, {
      renormalize: true,
    }),
});
