import { z } from 'zod';
import type { Region } from '../../layers/view.ts';
import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import {
  add,
  div,
  maximum,
  minimum,
  mul,
  relu,
  reshape,
  resizeLinear,
  resizeNearest,
  scale,
  shift,
  slice,
  sub,
  sum,
  where,
} from '../../onnx/emit.ts';
import { principalMap } from '../cams/principal.ts';
import type { Convention, Setting, Subject } from '../method.ts';

export const fusions = ['max', 'tanh-max', 'mean', 'product'] as const;
type Fusion = (typeof fusions)[number];

/** Parameters that every class activation map has. */
export const camParams = {
  normalized: z.boolean().default(true).describe('Min-max the map to [0, 1]'),
  fuse: z
    .enum(fusions)
    .default('max')
    .describe('How the maps of several layers become one; tanh-max is the max of tanh(2·map)'),
};
/** Parameters of maps that sum evidence over channels. */
export const evidenceParams = {
  ...camParams,
  eigen_smooth: z
    .boolean()
    .default(false)
    .describe("The evidence's first principal component in place of its sum over channels"),
};
export const camOnly = {
  normalized: ['paper', 'torchcam'],
  fuse: ['paper', 'torchcam', 'pytorch-grad-cam'],
  eigen_smooth: ['pytorch-grad-cam'],
} as const satisfies Record<string, readonly Convention[]>;
export const camDefaults = { 'pytorch-grad-cam': { fuse: 'mean' } } as const;

export interface CamParams {
  readonly normalized: boolean;
  /** Of methods that look at several layers. */
  readonly fuse?: Fusion;
}

/** (v - min)/(max - min + ε) per image of [N, h, w], with the ε of the library that is asked for. */
export function minMax(g: GraphBuilder, maps: Value, epsilon = 1e-8): Value {
  const low = sub(g, maps, minimum(g, maps, [1, 2]));
  return div(g, low, shift(g, maximum(g, low, [1, 2]), epsilon));
}

/**
 * (v - min)/(max - min) per image of [N, h, w], however small. What lies no further apart than float32 may err in the
 * values `from` [N, …] that it is made of is empty: 0 everywhere.
 */
export function minMaxed(
  g: GraphBuilder,
  maps: Value,
  from: Value,
  tell?: Setting<object>['tellScale'],
): Value {
  const low = sub(g, maps, minimum(g, maps, [1, 2]));
  const range = maximum(g, low, [1, 2]);
  const error = scale(g, maximum(g, g.emit('Abs', [from]), [1, 2]), float32Error);
  // A difference, so that neither NaN nor infinity is taken for nothing.
  const empty = g.emit('LessOrEqual', [sub(g, range, error), g.scalar(0)]);
  tell?.(reshape(g, range, [g.shape(maps)[0]!]));
  return where(g, empty, g.scalar(0), div(g, low, where(g, empty, g.scalar(1), range)));
}

/** Relative error of a sum of some thousand float32 values. */
const float32Error = 2 ** -21;

/** A map [N, h, w] at another size: bilinear with half-pixel centres (PyTorch's align_corners=False), or nearest. */
export function upsample(
  g: GraphBuilder,
  maps: Value,
  height: number,
  width: number,
  mode: 'bilinear' | 'nearest' = 'bilinear',
): Value {
  const [n, h, w] = g.shape(maps) as [number, number, number];
  if (h === height && w === width) return maps;
  const resize = mode === 'nearest' ? resizeNearest : resizeLinear;
  return reshape(g, resize(g, reshape(g, maps, [n, 1, h, w]), height, width), [n, height, width]);
}

/**
 * A map [N, h, w] of a layer at the image's size: where the layer sees a part of the image only, there, and 0 beside
 * it.
 */
export function laid(
  g: GraphBuilder,
  maps: Value,
  { height, width }: Pick<Setting<unknown>, 'height' | 'width'>,
  region: Region | undefined,
  mode?: 'bilinear' | 'nearest',
): Value {
  if (!region) return upsample(g, maps, height, width, mode);
  const spans = [spanOf(region.rows, height), spanOf(region.columns, width)] as const;
  const [rows, columns] = spans;
  const grown = upsample(g, maps, rows.size, columns.size, mode);
  const inside = spans.reduce(
    (map, { from, to, size }, i) => (to - from < size ? slice(g, map, i + 1, from, to) : map),
    grown,
  );
  return g.emit('Pad', [inside, g.ints([0, rows.before, columns.before, 0, rows.after, columns.after])]);
}

/** A part of an axis of the image: how long it is, what of it lies inside, and what lies beside it. */
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

/** Evidence of a layer for the target, [N, C, h, w], from its activations and their gradient. */
export type Evidence = (g: GraphBuilder, activation: Value, gradient: Value, convention: Convention) => Value;

/** Σ over channels of a layer's evidence, or its principal component, for each of the subject's layers: [N, h, w]. */
export function evidenceMaps(
  subject: Subject,
  { convention, params }: Setting<object>,
  evidence: Evidence,
  gradients = subject.gradients(subject.layers),
): Value[] {
  const { g, layers } = subject;
  const single = (maps: Value) =>
    'eigen_smooth' in params && params.eigen_smooth ? principalMap(g, maps) : sum(g, maps, [1], false);
  return layers.map((layer, i) => single(evidence(g, layer, gradients[i]!, convention)));
}

/** How a method departs from the common way to its map. */
export interface CamStyle {
  /** Keep negative values. */
  readonly signed?: boolean;
  /** γ of fusing by tanh-max; 2 if not said. */
  readonly gamma?: number;
  /** Min-max once more: torchcam's map after fusing, pytorch-grad-cam's maps before it. */
  readonly renormalize?: boolean;
}

/**
 * What signed maps [N, h, w], one per layer, become under a convention.
 *
 * - paper: ReLU; min-max at input size, without ε; several layers fused after that, and min-maxed again.
 * - torchcam: ReLU, min-max (ε 1e-8) at the layer's size; several layers at the largest of their sizes.
 * - pytorch-grad-cam: ReLU, min-max (ε 1e-7), resized to the input, fused (their mean), min-max again.
 */
export function camOutput(
  g: GraphBuilder,
  maps: readonly Value[],
  setting: Setting<CamParams>,
  style: CamStyle = {},
): Value {
  const { convention, params } = setting;
  const laidOut = (map: Value, i: number) => laid(g, map, setting, setting.layerRegions[i]);
  const positive = style.signed ? maps : maps.map((map) => relu(g, map));
  const steep = (map: Value) =>
    maps.length > 1 && params.fuse === 'tanh-max' ? g.emit('Tanh', [scale(g, map, style.gamma ?? 2)]) : map;
  if (convention === 'pytorch-grad-cam') {
    const resized = positive.map((map, i) => laidOut(minMax(g, map, 1e-7), i));
    const scaled = style.renormalize ? resized.map((map) => minMax(g, map, 1e-7)) : resized;
    return minMax(g, fuse(g, scaled.map(steep), params.fuse), 1e-7);
  }
  if (convention === 'torchcam') {
    const ready = (params.normalized ? positive.map((map) => minMax(g, map)) : positive).map(steep);
    const sizes = ready.map((map) => g.shape(map).slice(1));
    const [h, w] = [0, 1].map((i) => Math.max(...sizes.map((s) => s[i]!))) as [number, number];
    const fused = fuse(
      g,
      ready.map((map) => upsample(g, map, h, w)),
      params.fuse,
    );
    return style.renormalize ? minMax(g, fused) : fused;
  }
  const full = positive.map(laidOut);
  const scales: Value[] = [];
  const ready = (
    params.normalized ? full.map((map, i) => minMaxed(g, map, maps[i]!, (range) => scales.push(range))) : full
  ).map(steep);
  if (scales.length > 0) setting.tellScale?.(scales.length > 1 ? g.emit('Max', scales) : scales[0]!);
  const fused = fuse(g, ready, params.fuse);
  return ready.length > 1 && params.normalized ? minMaxed(g, fused, fused) : fused;
}

function fuse(g: GraphBuilder, maps: readonly Value[], how: Fusion = 'max'): Value {
  if (maps.length === 1) return maps[0]!;
  if (how === 'max' || how === 'tanh-max') return g.emit('Max', maps);
  if (how === 'product') return maps.reduce((a, b) => mul(g, a, b));
  return div(
    g,
    maps.reduce((a, b) => add(g, a, b)),
    g.scalar(maps.length),
  );
}
