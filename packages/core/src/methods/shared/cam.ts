import { z } from 'zod';
import type { Region } from '../../layers/view.ts';
import { applied, type Expression } from '../../onnx/expression.ts';
import type { Convention, Setting, Subject } from '../method.ts';
import { principalMap } from './principal.ts';

export const fusions = ['max', 'tanh-max', 'mean', 'product'] as const;
type Fusion = (typeof fusions)[number];

/** The parameters that every map has. */
export const mapParams = {
  normalized: z.boolean().default(true).describe('Min-max the map to [0, 1]'),
};
/** The parameters of maps that may be made from several layers. */
export const camParams = {
  ...mapParams,
  fuse: z
    .enum(fusions)
    .default('max')
    .describe('How the maps of several layers become one; tanh-max is the max of tanh(2·map)'),
};
const eigenSmooth = {
  eigen_smooth: z
    .boolean()
    .default(false)
    .describe("The evidence's first principal component in place of its sum over channels"),
};

/** The parameters of maps that sum evidence over channels, of several layers or of a single layer. */
export const evidenceParams = { ...camParams, ...eigenSmooth };
export const weightedParams = { ...mapParams, ...eigenSmooth };
export const mapOnly = { normalized: ['paper', 'torchcam'] } as const satisfies Record<
  string,
  readonly Convention[]
>;
export const weightedOnly = {
  ...mapOnly,
  eigen_smooth: ['pytorch-grad-cam'],
} as const satisfies Record<string, readonly Convention[]>;
export const camOnly = {
  ...weightedOnly,
  fuse: ['paper', 'torchcam', 'pytorch-grad-cam'],
} as const satisfies Record<string, readonly Convention[]>;
export const camDefaults = { 'pytorch-grad-cam': { fuse: 'mean' } } as const;

export interface CamParams {
  readonly normalized: boolean;
  /** The way that maps are fused, for methods that use several layers. */
  readonly fuse?: Fusion;
}

/** Computes (v - min)/(max - min + ε) per image of [N, h, w], with the ε of the library of the convention. */
export function minMax(maps: Expression, epsilon = 1e-8): Expression {
  const low = maps.sub(maps.min([1, 2]));
  return low.div(low.max([1, 2]).add(epsilon));
}

/**
 * Computes (v - min)/(max - min) per image of [N, h, w], however small the range. A map whose range is within the
 * float32 error of the values `from` [N, …] that it is made from is empty: 0 everywhere.
 */
export function minMaxed(
  maps: Expression,
  from: Expression,
  tell?: Setting<object>['tellScale'],
): Expression {
  const low = maps.sub(maps.min([1, 2]));
  const range = low.max([1, 2]);
  const error = from.abs().max([1, 2]).mul(float32Error);
  // A difference, so that neither NaN nor infinity counts as empty.
  const empty = range.sub(error).isAtMost(0);
  tell?.(range.reshape([maps.shape[0]!]));
  return empty.where(0, low.div(empty.where(1, range)));
}

/** The relative error of a sum of some thousand float32 values. */
const float32Error = 2 ** -21;

/** Resizes a map [N, h, w]: bilinear with half-pixel centres (PyTorch's align_corners=False), or nearest. */
export function upsample(
  maps: Expression,
  height: number,
  width: number,
  mode: 'bilinear' | 'nearest' = 'bilinear',
): Expression {
  const [n, h, w] = maps.shape as [number, number, number];
  if (h === height && w === width) return maps;
  const single = maps.reshape([n, 1, h, w]);
  const resized =
    mode === 'nearest' ? single.resizeNearest(height, width) : single.resizeLinear(height, width);
  return resized.reshape([n, height, width]);
}

/**
 * Resizes a map [N, h, w] of a layer to the image's size; if the layer sees only a part of the image, the map covers
 * that part and is 0 elsewhere.
 */
export function laid(
  maps: Expression,
  { height, width }: Pick<Setting<unknown>, 'height' | 'width'>,
  region: Region | undefined,
  mode?: 'bilinear' | 'nearest',
): Expression {
  if (!region) return upsample(maps, height, width, mode);
  const spans = [spanOf(region.rows, height), spanOf(region.columns, width)] as const;
  const [rows, columns] = spans;
  const grown = upsample(maps, rows.size, columns.size, mode);
  const inside = spans.reduce(
    (map, { from, to, size }, i) => (to - from < size ? map.slice(i + 1, from, to) : map),
    grown,
  );
  return inside.emit('Pad', [inside.ints([0, rows.before, columns.before, 0, rows.after, columns.after])]);
}

/** Describes a part of an axis of the image: its length, its range inside the image, and the lengths around it. */
function spanOf([start, end]: readonly [number, number], length: number) {
  const stop = end === Number.POSITIVE_INFINITY ? length : end;
  return {
    size: stop - start,
    from: Math.max(0, -start),
    to: Math.min(stop, length) - start,
    before: Math.max(0, start),
    after: Math.max(0, length - stop),
  };
}

/** A function that gives a layer's evidence for the target, [N, C, h, w], from its activations and their gradient. */
export type Evidence = (activation: Expression, gradient: Expression, convention: Convention) => Expression;

/** Sums evidence over channels, or takes its principal component, for each of the subject's layers: [N, h, w]. */
export function evidenceMaps(
  { layers, gradients }: Subject,
  { convention, parameters }: Setting<object>,
  evidence: Evidence,
  slopes = gradients(layers),
): Expression[] {
  return layers.map((layer, i) => overChannels(evidence(layer, slopes[i]!, convention), parameters));
}

/** Sums maps [N, C, h, w] over channels, or takes their principal component: [N, h, w]. */
export const overChannels = (maps: Expression, parameters: object): Expression =>
  'eigen_smooth' in parameters && parameters.eigen_smooth ? principalMap(maps) : maps.sum([1], false);

/** The deviations of a method from the common way to make a map. */
export interface CamStyle {
  /** Whether negative values are kept. */
  readonly signed?: boolean;
  /** γ of fusing by tanh-max; 2 by default. */
  readonly gamma?: number;
  /** Whether to min-max once more: torchcam's map after fusing, pytorch-grad-cam's maps before it. */
  readonly renormalize?: boolean;
}

/**
 * Makes the map of a convention from signed maps [N, h, w], one per layer.
 *
 * - paper: ReLU; min-max at input size, without ε; several layers fused after that, and min-maxed again.
 * - torchcam: ReLU, min-max (ε 1e-8) at the layer's size; several layers at the largest of their sizes.
 * - pytorch-grad-cam: ReLU, min-max (ε 1e-7), resized to the input, fused (their mean), min-max again.
 */
export function camOutput(
  maps: readonly Expression[],
  setting: Setting<CamParams>,
  style: CamStyle = {},
): Expression {
  const { convention, parameters } = setting;
  const laidOut = (map: Expression, i: number) => laid(map, setting, setting.layerRegions[i]);
  const positive = style.signed ? maps : maps.map((map) => map.relu());
  const steep = (map: Expression) =>
    maps.length > 1 && parameters.fuse === 'tanh-max' ? map.mul(style.gamma ?? 2).tanh() : map;
  if (convention === 'pytorch-grad-cam') {
    const resized = positive.map((map, i) => laidOut(minMax(map, 1e-7), i));
    const scaled = style.renormalize ? resized.map((map) => minMax(map, 1e-7)) : resized;
    return minMax(fuse(scaled.map(steep), parameters.fuse), 1e-7);
  }
  if (convention === 'torchcam') {
    const ready = (parameters.normalized ? positive.map((map) => minMax(map)) : positive).map(steep);
    const sizes = ready.map((map) => map.shape.slice(1));
    const [h, w] = [0, 1].map((i) => Math.max(...sizes.map((s) => s[i]!))) as [number, number];
    const fused = fuse(
      ready.map((map) => upsample(map, h, w)),
      parameters.fuse,
    );
    return style.renormalize ? minMax(fused) : fused;
  }
  const full = positive.map(laidOut);
  const scales: Expression[] = [];
  const ready = (
    parameters.normalized
      ? full.map((map, i) => minMaxed(map, maps[i]!, (range) => scales.push(range)))
      : full
  ).map(steep);
  if (scales.length > 0) setting.tellScale?.(scales.length > 1 ? applied('Max', scales) : scales[0]!);
  const fused = fuse(ready, parameters.fuse);
  return ready.length > 1 && parameters.normalized ? minMaxed(fused, fused) : fused;
}

function fuse(maps: readonly Expression[], how: Fusion = 'max'): Expression {
  if (maps.length === 1) return maps[0]!;
  if (how === 'max' || how === 'tanh-max') return applied('Max', maps);
  if (how === 'product') return maps.reduce((a, b) => a.mul(b));
  return maps.reduce((a, b) => a.add(b)).div(maps.length);
}

/** Gives a layer's values, [N, C, h, w], under Captum's convention; else their sum over channels as a map. */
export const layerOutput = (values: readonly Expression[], setting: Setting<CamParams>): Expression =>
  setting.convention === 'captum'
    ? values[0]!
    : camOutput(
        values.map((value) => value.sum([1], false)),
        setting,
      );
