import { z } from 'zod';
import { guidedRules } from '../../autodiff/guided.ts';
import type { Expression } from '../../onnx/expression.ts';
import { gradCamEvidence } from '../cams/grad-cam.ts';
import { defineMethod } from '../method.ts';
import { evidenceMaps, laid } from '../shared/cam.ts';
import { withoutRelu } from './guided.ts';

/**
 * Guided Grad-CAM: guided backpropagation times Grad-CAM, [N, C, H, W].
 *
 *     attribution = guided backpropagation ⊙ ReLU(Grad-CAM at input size)
 *
 * @see Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization", 2017
 * @example
 * createExplainer(
 *   classifier,
 *   { method: 'guided-grad-cam', parameters: { interpolate_mode: 'nearest' } },
 *   runtime,
 * )
 */
export const guidedGradCam = defineMethod({
  id: 'guided-grad-cam',
  title: 'Guided Grad-CAM',
  summary:
    'The detail of guided backpropagation where Grad-CAM finds the class. Without ReLU, that of the gradient.',
  paper: 'https://arxiv.org/abs/1610.02391',
  version: '1',
  kind: 'pixels',
  axioms: ['dummy'],
  remarksOn: withoutRelu(
    'guided backpropagation',
    'the gradient, and this is the gradient where Grad-CAM is',
  ),
  needs: ['gradient', 'layer'],
  conventions: ['paper', 'captum'],
  deviations: {
    captum: 'The map grows to the nearest value unless interpolate_mode says bilinear.',
  },
  parameters: z.strictObject({
    interpolate_mode: z
      .enum(['nearest', 'bilinear'])
      .default('bilinear')
      .describe('How the map grows to input size'),
  }),
  defaults: { captum: { interpolate_mode: 'nearest' } },
  explain(subject, setting) {
    const { height, width, layout, parameters } = setting;
    const [map] = evidenceMaps(subject, setting, gradCamEvidence) as [Expression];
    const full = laid(map.relu(), setting, setting.layerRegions[0], parameters.interpolate_mode);
    const n = map.shape[0]!;
    const everyChannel = layout === 'NCHW' ? [n, 1, height, width] : [n, height, width, 1];
    return subject.gradient({ rules: guidedRules }).mul(full.reshape(everyChannel));
  },
});
