import { z } from 'zod';
import { InputError } from '../../errors.ts';
import { float32, sizeOf, type Tensor } from '../../tensor.ts';
import { defineMethod, type Samples, type Setting } from '../method.ts';
import { perRow } from '../shared/noise.ts';
import { addingUp, multiplierSums, rescaleExceptions } from './multipliers.ts';

/**
 * DeepLIFT SHAP: DeepLIFT averaged over baselines, [N, C, H, W]. The baselines are recorded, or are zeros and, if
 * the model's mean and std are known, black.
 *
 * @see Lundberg & Lee, "A Unified Approach to Interpreting Model Predictions", 2017
 * @example createExplainer(classifier, { method: 'deep-lift-shap' }, runtime)
 */
export const deepLiftShap = defineMethod({
  id: 'deep-lift-shap',
  title: 'DeepLIFT SHAP',
  summary: 'DeepLIFT averaged over several baselines.',
  paper: 'https://arxiv.org/abs/1705.07874',
  version: '2',
  kind: 'pixels',
  axioms: ['completeness', 'dummy', 'linearity'],
  provided: { completeness: addingUp },
  exceptionsOf: rescaleExceptions,
  needs: ['gradient'],
  conventions: ['paper', 'captum'],
  deviations: {
    captum: 'As deep-lift.',
  },
  logitsOnly: true,
  parameters: z.strictObject({}),
  sampled: true,
  aux: ['baselines'],
  explain(subject, setting) {
    const samples = baselineSamples(setting, subject.aux);
    const { total, from } = multiplierSums(subject, samples, ({ baselines }) => baselines, setting, 'image');
    subject.addsUp(total, () => from);
    return total;
  },
});

/** Gives the baselines, and the share of each. */
export function baselineSamples(setting: Setting<unknown>, aux: Samples) {
  const baselines = baselinesOf(setting, aux);
  const count = baselines.shape[0]!;
  return { baselines, share: perRow(Array<number>(count).fill(1 / count)) };
}

function baselinesOf(
  { inputShape, layout, normalisation }: Setting<unknown>,
  { baselines }: Samples,
): Tensor {
  if (baselines) {
    if (baselines.dtype === 'float32' && baselines.shape.slice(1).join() === inputShape.join())
      return baselines;
    throw new InputError(
      'invalid_tensor',
      `aux "baselines": expected float32 [rows, ${inputShape.join(', ')}], got ${baselines.dtype} [${baselines.shape.join(', ')}]`,
    );
  }
  const size = sizeOf(inputShape);
  const rows = normalisation ? 2 : 1;
  const values = new Float32Array(rows * size);
  const channels = layout === 'NCHW' ? inputShape[0]! : inputShape.at(-1)!;
  const channelOf = (i: number) => (layout === 'NCHW' ? Math.floor((i * channels) / size) : i % channels);
  if (normalisation)
    for (let i = 0; i < size; i++)
      values[size + i] = -(normalisation.mean[channelOf(i)] ?? 0) / (normalisation.std[channelOf(i)] ?? 1);
  return float32([rows, ...inputShape], values);
}
