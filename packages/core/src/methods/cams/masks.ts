import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import {
  add,
  div,
  matmul,
  maximum,
  minimum,
  mul,
  reshape,
  resizeLinear,
  shift,
  sub,
  sum,
} from '../../onnx/emit.ts';
import { float32, int64, type Tensor } from '../../tensor.ts';
import type { SampledSubject, Setting, Subject, Values } from '../method.ts';
import { type CamParams, camOutput, laid } from '../shared/cam.ts';

// Score-CAM and its kin: each channel of a layer masks the image, and is weighted by what the score becomes.

/** Every channel `repeats` times, one after another; `factors` scale the mask of each round. */
export function channelSamples(
  channels: number,
  repeats: number,
  factors?: readonly number[],
): Readonly<Record<string, Tensor>> {
  const count = channels * repeats;
  const rounds = Array.from({ length: count }, (_, i) => Math.floor(i / channels));
  return {
    channel: int64(
      [count],
      rounds.map((_, i) => i % channels),
    ),
    share: float32(
      [count],
      rounds.map(() => 1 / repeats),
    ),
    factor: float32(
      [count],
      rounds.map((round) => factors?.[round] ?? 1),
    ),
  };
}

export const activationOf = ({ g, layers }: Subject): Values => ({
  activation: g.emit('Identity', [layers[0]!]),
});

/**
 * The image under masks, [1, S, C, H, W]. A mask is a channel of the activation at input size, min-maxed:
 * before it grows (torchcam), or after, with corners aligned (pytorch-grad-cam).
 */
export function channelMaskedRows(
  g: GraphBuilder,
  image: Value,
  given: Values,
  setting: Setting<unknown>,
  noise?: Value,
): Value {
  const { convention, height, width, layout } = setting;
  const [, , h, w] = g.shape(given.activation!) as [number, number, number, number];
  const samples = g.shape(given.channel!)[0]!;
  const picked = reshape(g, g.emit('Gather', [given.activation!, given.channel!], { axis: 1 }), [
    samples,
    1,
    h,
    w,
  ]);
  const normal = (maps: Value) => {
    const low = sub(g, maps, minimum(g, maps, [2, 3]));
    return div(g, low, shift(g, maximum(g, low, [2, 3]), 1e-8));
  };
  const [region] = setting.layerRegions;
  const grown = (maps: Value, corners: boolean) =>
    h === height && w === width ? maps : resizeLinear(g, maps, height, width, corners);
  /** What the layer does not see is hidden. */
  const inPlace = (maps: Value) =>
    reshape(g, laid(g, reshape(g, maps, [samples, h, w]), setting, region), [samples, 1, height, width]);
  const masks = region
    ? inPlace(normal(picked))
    : convention === 'torchcam'
      ? grown(normal(picked), false)
      : normal(grown(picked, convention === 'pytorch-grad-cam'));
  const noisy = noise === undefined ? masks : add(g, masks, reshape(g, noise, [samples, 1, height, width]));
  const scaled = mul(g, noisy, reshape(g, given.factor!, [samples, 1, 1, 1]));
  return mul(
    g,
    reshape(g, scaled, layout === 'NCHW' ? [1, samples, 1, height, width] : [1, samples, height, width, 1]),
    image,
  );
}

/** Σ share · (y(sample) - y(image)) by channel, [1, C]. */
export function channelGains(
  { g, scores, score }: SampledSubject,
  { channel, share, activation }: Values,
): Values {
  const channels = g.shape(activation!)[1]!;
  const hot = g.emit('OneHot', [channel!, g.ints([channels]), g.floats([2], [0, 1])]);
  return { gain: matmul(g, mul(g, sub(g, scores, score), share!), hot) };
}

/** The map whose channels are weighted with the softmax of their gains. */
export function gainMap(g: GraphBuilder, { activation, gain }: Values, setting: Setting<CamParams>): Value {
  return weightedMap(g, activation!, g.emit('Softmax', [gain!], { axis: -1 }), setting);
}

export function weightedMap(
  g: GraphBuilder,
  activation: Value,
  weights: Value,
  setting: Setting<CamParams>,
): Value {
  const channels = g.shape(activation)[1]!;
  return camOutput(
    g,
    [sum(g, mul(g, reshape(g, weights, [1, channels, 1, 1]), activation), [1], false)],
    setting,
  );
}

export const channelsOf = ({ layerShapes }: Setting<unknown>): number => layerShapes[0]![0]!;
