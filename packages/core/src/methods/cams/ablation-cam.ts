import { z } from 'zod';
import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { add, div, minimum, mul, neg, reshape, scale, shift, sum, where } from '../../onnx/emit.ts';
import { int64 } from '../../tensor.ts';
import { defineMethod } from '../method.ts';
import { camDefaults, camOnly, camParams } from '../shared/cam.ts';
import { countOf } from '../shared/noise.ts';
import { activationOf, channelGains, channelsOf, weightedMap } from './masks.ts';

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
  oddities: {
    'pytorch-grad-cam':
      "Where the layer's minimum is not 0, channels are set to it less 10⁷, 2·10⁷ … up to 32 of them: those evaluated together see each other.",
  },
  params: z.strictObject(camParams),
  defaults: camDefaults,
  only: camOnly,
  aux: [],
  startsAtLayer: true,
  dividesByScore: true,
  samples(setting) {
    const channels = channelsOf(setting);
    return {
      channel: int64(
        [channels],
        Array.from({ length: channels }, (_, k) => k),
      ),
      share: countOf(channels),
    };
  },
  prepare: (subject) => ({
    ...activationOf(subject),
    clean: sum(subject.g, mul(subject.g, subject.scored, subject.chosen), [1]),
  }),
  rows(g, _, { activation, channel }, { convention }) {
    const [, channels, h, w] = g.shape(activation!) as [number, number, number, number];
    const samples = g.shape(channel!)[0]!;
    const hot = g.emit('OneHot', [channel!, g.ints([channels]), g.floats([2], [0, 1])]);
    const ablated = g.emit('Cast', [reshape(g, hot, [1, samples, channels, 1, 1])], { to: 9 });
    const filler = convention === 'paper' ? g.scalar(0) : belowAll(g, activation!, channel!);
    return where(g, ablated, filler, reshape(g, activation!, [1, 1, channels, h, w]));
  },
  each: channelGains,
  finish: (g, _, { activation, gain, clean }, setting) =>
    weightedMap(g, activation!, neg(g, share(g, gain!, clean!)), setting),
});

/** A share of the score; of a score of 0 there is none. */
function share(g: GraphBuilder, part: Value, whole: Value): Value {
  const some = g.emit('Greater', [g.emit('Abs', [whole]), g.scalar(least)]);
  return where(g, some, div(g, part, where(g, some, whole, g.scalar(1))), g.scalar(0));
}
const least = 1e-20;

/** 0 where that is the layer's minimum; else so far below it as pytorch-grad-cam goes, [1, S, 1, 1, 1]. */
function belowAll(g: GraphBuilder, activation: Value, channel: Value): Value {
  const low = minimum(g, activation, [0, 1, 2, 3], false);
  const place = g.emit('Cast', [g.emit('Mod', [channel, g.ints([32])])], { to: 1 });
  const below = add(g, low, scale(g, shift(g, place, 1), -1e7));
  const filler = where(g, g.emit('Equal', [low, g.scalar(0)]), g.scalar(0), below);
  return reshape(g, filler, [1, g.shape(channel)[0]!, 1, 1, 1]);
}
