import { z } from 'zod';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import {
  add,
  div,
  maximum,
  minimum,
  mul,
  relu,
  reshape,
  resizeLinear,
  shift,
  sub,
  sum,
} from '../onnx/emit.ts';
import type { Convention, Setting, Subject } from './method.ts';

/** Parameters that every class activation map has. */
export const camParams = {
  normalized: z.boolean().default(true).describe('Min-max the map to [0, 1]'),
  relu_attributions: z.boolean().default(false).describe('Keep positive evidence only'),
  fuse: z
    .enum(['max', 'mean', 'product'])
    .default('max')
    .describe('How the maps of several layers become one'),
};
export const camOnly = {
  normalized: ['paper', 'torchcam'],
  relu_attributions: ['captum'],
  fuse: ['paper', 'torchcam', 'pytorch-grad-cam'],
} as const satisfies Record<string, readonly Convention[]>;
export const camDefaults = { 'pytorch-grad-cam': { fuse: 'mean' } } as const;

export interface CamParams {
  readonly normalized: boolean;
  readonly relu_attributions: boolean;
  readonly fuse: 'max' | 'mean' | 'product';
}

/** (v - min)/(max - min + ε) per image of [N, h, w], with the ε of the library that is asked for. */
export function minMax(g: GraphBuilder, maps: Value, epsilon = 1e-8): Value {
  const low = sub(g, maps, minimum(g, maps, [1, 2]));
  return div(g, low, shift(g, maximum(g, low, [1, 2]), epsilon));
}

/** A map [N, h, w] at another size, bilinear with half-pixel centres (PyTorch's align_corners=False). */
export function upsample(g: GraphBuilder, maps: Value, height: number, width: number): Value {
  const [n, h, w] = g.shape(maps) as [number, number, number];
  if (h === height && w === width) return maps;
  return reshape(g, resizeLinear(g, reshape(g, maps, [n, 1, h, w]), height, width), [n, height, width]);
}

/** Σ_c weights·A over channels, [N, h, w]; weights broadcast over A [N, C, h, w]. */
export const weighted = (g: GraphBuilder, activation: Value, weights: Value): Value =>
  sum(g, mul(g, weights, activation), [1], false);

/**
 * What a class activation map becomes under a convention. `raw` gives a layer's signed map [N, h, w].
 *
 * - paper: ReLU; min-max at input size; several layers fused after that.
 * - torchcam: ReLU, min-max (ε 1e-8) at the layer's size; several layers at the largest of their sizes.
 * - pytorch-grad-cam: ReLU, min-max (ε 1e-7), resized to the input, averaged over layers, min-max again.
 * - captum: the signed sum [N, 1, h, w], unless relu_attributions.
 */
export function camOutput(
  subject: Subject,
  setting: Setting<CamParams>,
  raw: (layer: Value, gradient: Value) => Value,
): Value {
  const { g } = subject;
  const { convention, params, height, width } = setting;
  const gradients = subject.gradients(subject.layers);
  const maps = subject.layers.map((layer, i) => raw(layer, gradients[i]!));
  if (convention === 'captum') {
    const kept = params.relu_attributions ? relu(g, maps[0]!) : maps[0]!;
    const [n, h, w] = g.shape(kept) as [number, number, number];
    return reshape(g, kept, [n, 1, h, w]);
  }
  const positive = maps.map((map) => relu(g, map));
  if (convention === 'pytorch-grad-cam') {
    const scaled = positive.map((map) => upsample(g, minMax(g, map, 1e-7), height, width));
    return minMax(g, fuse(g, scaled, params.fuse), 1e-7);
  }
  if (convention === 'torchcam') {
    const ready = params.normalized ? positive.map((map) => minMax(g, map)) : positive;
    const sizes = ready.map((map) => g.shape(map).slice(1));
    const [h, w] = [0, 1].map((i) => Math.max(...sizes.map((s) => s[i]!))) as [number, number];
    return fuse(
      g,
      ready.map((map) => upsample(g, map, h, w)),
      params.fuse,
    );
  }
  const full = positive.map((map) => upsample(g, map, height, width));
  const ready = params.normalized ? full.map((map) => minMax(g, map)) : full;
  const fused = fuse(g, ready, params.fuse);
  return ready.length > 1 && params.normalized ? minMax(g, fused) : fused;
}

function fuse(g: GraphBuilder, maps: readonly Value[], how: CamParams['fuse']): Value {
  if (maps.length === 1) return maps[0]!;
  if (how === 'max') return g.emit('Max', maps);
  if (how === 'product') return maps.reduce((a, b) => mul(g, a, b));
  return div(
    g,
    maps.reduce((a, b) => add(g, a, b)),
    g.scalar(maps.length),
  );
}
