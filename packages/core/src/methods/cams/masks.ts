import type { Expression } from '../../onnx/expression.ts';
import { float32, int64 } from '../../tensor.ts';
import type { Made, Setting, Subject } from '../method.ts';
import { type CamParams, camOutput, laid, overChannels } from '../shared/cam.ts';

// Score-CAM and similar methods: each channel of a layer masks the image, and its weight depends on the new score.

interface Rounds {
  /** The number of times that each channel masks the image. */
  readonly repeats?: number;
  /** The factor of the masks in each round. */
  readonly factors?: readonly number[];
  /** The noise that is added to each mask, [samples, height, width], with `std` as its factor. */
  readonly noise?: Made;
  readonly std?: number;
}

/** Averages y(image under the channel's mask) - y(image) over rounds, for each channel, [1, C]. */
export function maskedGains(
  { image, layers, score, at, over }: Subject,
  setting: Setting<unknown>,
  { repeats = 1, factors, noise, std = 1 }: Rounds = {},
): Expression {
  const activation = layers[0]!;
  const channels = channelsOf(setting);
  const count = channels * repeats;
  const rounds = Array.from({ length: count }, (_, i) => Math.floor(i / channels));
  const samples = {
    ...channelSamples(count, (i) => i % channels, 1 / repeats),
    factor: float32(
      [count, 1, 1, 1],
      rounds.map((round) => factors?.[round] ?? 1),
    ),
  };
  const { height, width } = setting;
  const seen = (masks: Expression, factor: Expression) => at(under(image, masks.mul(factor), setting)).score;
  if (!noise)
    return over(samples, ({ channel, share, factor }) =>
      byChannel(seen(masksOf(activation, channel, setting), factor).sub(score), share, channel, channels),
    );
  return over({ ...samples, noise }, ({ channel, share, factor, noise }) => {
    const masks = masksOf(activation, channel, setting);
    const noisy = masks.add(noise.mul(std).reshape([noise.shape[0]!, 1, height, width]));
    return byChannel(seen(noisy, factor).sub(score), share, channel, channels);
  });
}

/** Makes the channel of each sample, and the weight of the sample. */
export const channelSamples = (count: number, channelOf: (sample: number) => number, share: number) => ({
  channel: int64(
    [count],
    Array.from({ length: count }, (_, i) => channelOf(i)),
  ),
  share: float32([count], Array<number>(count).fill(share)),
});

/** Sums share · change by channel, [1, C], from the change of each sample, [samples, 1]. */
export function byChannel(
  change: Expression,
  share: Expression,
  channel: Expression,
  channels: number,
): Expression {
  const counted = change.reshape([1, change.shape[0]!]).mul(share);
  return counted.matmul(channel.oneHot(channels));
}

/** Multiplies the image by masks [samples, 1, H, W], which gives [samples, C, H, W]. */
function under(
  image: Expression,
  masks: Expression,
  { layout, height, width }: Setting<unknown>,
): Expression {
  const laidOut = layout === 'NCHW' ? masks : masks.reshape([masks.shape[0]!, height, width, 1]);
  return laidOut.mul(image);
}

/**
 * Resizes channels of the activation to input size, [samples, 1, H, W], min-maxed before (torchcam) or after that, with
 * corners aligned (pytorch-grad-cam).
 */
function masksOf(activation: Expression, channel: Expression, setting: Setting<unknown>): Expression {
  const { convention, height, width } = setting;
  const [, , h, w] = activation.shape as [number, number, number, number];
  const samples = channel.shape[0]!;
  const picked = activation.gather(channel, 1).reshape([samples, 1, h, w]);
  const normal = (maps: Expression) => {
    const low = maps.sub(maps.min([2, 3]));
    return low.div(low.max([2, 3]).add(1e-8));
  };
  const grown = (maps: Expression, corners: boolean) =>
    h === height && w === width ? maps : maps.resizeLinear(height, width, corners);
  const [region] = setting.layerRegions;
  /** Parts of the image that the layer does not see are hidden. */
  if (region)
    return laid(normal(picked).reshape([samples, h, w]), setting, region).reshape([
      samples,
      1,
      height,
      width,
    ]);
  return convention === 'torchcam'
    ? grown(normal(picked), false)
    : normal(grown(picked, convention === 'pytorch-grad-cam'));
}

/** Makes the map whose channels are weighted with the softmax of their gains. */
export const gainMap = ({ layers }: Subject, gains: Expression, setting: Setting<CamParams>): Expression =>
  weightedMap(layers[0]!, gains.softmax(), setting);

/** Makes the map whose channels have weights [1, C]. */
export const weightedMap = (
  activation: Expression,
  weights: Expression,
  setting: Setting<CamParams>,
): Expression => {
  const maps = weights.reshape([1, channelsOf(setting), 1, 1]).mul(activation);
  return camOutput([overChannels(maps, setting.parameters)], setting);
};

export const channelsOf = ({ layerShapes }: Setting<unknown>): number => layerShapes[0]![0]!;
