import { z } from 'zod';
import type { Expression } from '../../onnx/expression.ts';
import { defineMethod } from '../method.ts';
import { weightedOnly, weightedParams } from '../shared/cam.ts';
import { byChannel, channelSamples, channelsOf, weightedMap } from './masks.ts';

/**
 * Ablation-CAM: feature maps weighted by the share of the score that goes when each is taken away.
 *
 *     map = ReLU(Σ_k w_k A_k),   w_k = (y_c - y_c without A_k) / y_c
 *
 * Only what comes after the layer is evaluated. A channel is set to 0; pytorch-grad-cam, where the layer has another
 * minimum than 0, sets it to min(A) - 10⁷ (1 + k mod 32): of the 32 channels that it evaluates together, each is put
 * below the one before.
 *
 * @see Desai & Ramaswamy, "Ablation-CAM: Visual Explanations for Deep Convolutional Network via Gradient-free Localization", 2020
 * @example createExplainer(classifier, { method: 'ablation-cam', layers: ['-1'] }, runtime)
 */
export const ablationCam = defineMethod({
  id: 'ablation-cam',
  title: 'Ablation-CAM',
  summary: 'Feature maps weighted by how much the score drops without each of them; no gradients.',
  paper: 'https://openaccess.thecvf.com/content_WACV_2020/papers/Desai_Ablation-CAM_WACV_2020_paper.pdf',
  version: '2',
  kind: 'map',
  needs: ['layer'],
  singleLayer: true,
  conventions: ['paper', 'pytorch-grad-cam'],
  deviations: {
    'pytorch-grad-cam':
      "Where the layer's minimum is not 0, channels are set to it less 10⁷, 2·10⁷ … up to 32 of them: those evaluated together see each other.",
  },
  parameters: z.strictObject(weightedParams),
  only: weightedOnly,
  sampled: true,
  dividesByScore: true,
  explain({ layers, score, from, over }, setting) {
    const activation = layers[0]!;
    const channels = channelsOf(setting);
    const drop = over(
      channelSamples(channels, (k) => k, 1),
      ({ channel, share }) => {
        const hot = channel.oneHot(channels).cast('bool');
        const filler = setting.convention === 'paper' ? 0 : belowAll(activation, channel);
        const ablated = hot.reshape([channel.shape[0]!, channels, 1, 1]).where(filler, activation);
        return byChannel(from(ablated).score.sub(score), share, channel, channels);
      },
    );
    return weightedMap(activation, shareOf(drop, score).neg(), setting);
  },
});

/** A share of the score; of a score of 0 there is none. */
function shareOf(part: Expression, whole: Expression): Expression {
  const some = whole.abs().isGreater(least);
  return some.where(part.div(some.where(whole, 1)), 0);
}
const least = 1e-20;

/** 0 where that is the layer's minimum; else so far below it as pytorch-grad-cam goes, [S, 1, 1, 1]. */
function belowAll(activation: Expression, channel: Expression): Expression {
  const low = activation.min([0, 1, 2, 3], false);
  const place = channel.emit('Mod', [channel.ints([32])]).cast('float32');
  const below = low.add(place.add(1).mul(-1e7));
  return low.equals(0).where(0, below).reshape([channel.shape[0]!, 1, 1, 1]);
}
