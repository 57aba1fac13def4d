import { z } from 'zod';
import type { Expression } from '../../onnx/expression.ts';
import { defineMethod, type Setting, type Subject } from '../method.ts';
import { weightedOnly, weightedParams } from '../shared/cam.ts';
import { byChannel, channelSamples, channelsOf, weightedMap } from './masks.ts';

/**
 * Ablation-CAM: feature maps weighted by the share of the score that is lost if each is removed.
 *
 *     map = ReLU(Σ_k w_k A_k),   w_k = (y_c - y_c without A_k) / y_c
 *
 * Only the network after the layer is evaluated. A channel is set to 0; if the layer's minimum is not 0,
 * pytorch-grad-cam sets it to min(A) - 10⁷ (1 + k mod 32): of the 32 channels that it evaluates together, each is below
 * the one before. In tokens it removes the channel from all of them, also from those without a place in the image. So
 * its map of a transformer is not the paper's.
 *
 * @see Desai & Ramaswamy, "Ablation-CAM: Visual Explanations for Deep Convolutional Network via Gradient-free Localization", 2020
 * @example createExplainer(classifier, { method: 'ablation-cam', layers: ['-1'] }, runtime)
 */
export const ablationCam = defineMethod({
  id: 'ablation-cam',
  title: 'Ablation-CAM',
  summary: 'Feature maps weighted by how much the score drops without each of them; no gradients.',
  paper: 'https://openaccess.thecvf.com/content_WACV_2020/papers/Desai_Ablation-CAM_WACV_2020_paper.pdf',
  version: '3',
  kind: 'map',
  needs: ['layer'],
  singleLayer: true,
  conventions: ['paper', 'pytorch-grad-cam'],
  deviations: {
    'pytorch-grad-cam':
      "Where the layer's minimum is not 0, channels are set to it less 10⁷, 2·10⁷ … up to 32 of them: those evaluated together see each other. The class token loses the channel too.",
  },
  parameters: z.strictObject(weightedParams),
  only: weightedOnly,
  sampled: true,
  dividesByScore: true,
  explain(subject, setting) {
    const { score, over } = subject;
    const activation = subject.layers[0]!;
    const channels = channelsOf(setting);
    const { values, axis, of } = ablatedValues(subject, setting);
    const drop = over(
      channelSamples(channels, (k) => k, 1),
      ({ channel, share }) => {
        const hot = channel.oneHot(channels).cast('bool');
        const samples = channel.shape[0]!;
        const perValue = values.shape.map((_, i) => (i === 0 ? samples : i === axis ? channels : 1));
        const filler = setting.convention === 'paper' ? 0 : belowAll(values, channel);
        const ablated = hot.reshape(perValue).where(filler, values);
        return byChannel(of(ablated).score.sub(score), share, channel, channels);
      },
    );
    return weightedMap(activation, shareOf(drop, score).neg(), setting);
  },
});

/** The values that channels are removed from, the axis of channels, and the network after them. */
interface Ablated {
  readonly values: Expression;
  readonly axis: number;
  of(values: Expression): Subject;
}

/** Gives the layer's map; under pytorch-grad-cam's convention all its tokens, also those without a place. */
function ablatedValues({ layers, from, startingFrom }: Subject, setting: Setting<unknown>): Ablated {
  const [map] = layers as [Expression];
  const { name, form } = setting.layerValues[0]!;
  const isAlone = form.prefix + (form.suffix ?? 0) > 0 && (form.axes === 'TC' || form.axes === 'CT');
  if (setting.convention === 'paper' || !isAlone || !map.g.knows(name))
    return { values: map, axis: 1, of: from };
  const all = map.of(name);
  return {
    values: all.shape[0] === 1 ? all : all.slice(0, 0, 1),
    axis: form.axes === 'TC' ? 2 : 1,
    of: (values) => startingFrom(name, values),
  };
}

/** Computes a share of the score, which is 0 if the score is 0. */
function shareOf(part: Expression, whole: Expression): Expression {
  const some = whole.abs().isGreater(least);
  return some.where(part.div(some.where(whole, 1)), 0);
}
const least = 1e-20;

/** Gives 0 if that is the values' minimum; else a number as far below it as in pytorch-grad-cam, [S, 1, …]. */
function belowAll(values: Expression, channel: Expression): Expression {
  const axes = values.shape.map((_, i) => i);
  const low = values.min(axes, false);
  const place = channel.emit('Mod', [channel.ints([32])]).cast('float32');
  const below = low.add(place.add(1).mul(-1e7));
  return low
    .equals(0)
    .where(0, below)
    .reshape(axes.map((i) => (i === 0 ? channel.shape[0]! : 1)));
}
