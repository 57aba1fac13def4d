import { between } from '../autodiff/path.ts';
import type { Network } from '../model/classifier.ts';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { reachable } from '../onnx/graph.ts';
import { sizesOf } from '../operators/picks.ts';
import type { Layer } from './layers.ts';
import type { PlacesOf } from './places.ts';
import { type Reached, type ReachedOf, reachedIn } from './reach.ts';

/** The counts of a layer's places, and of those that cannot reach the scores. */
export interface LayerReach {
  readonly places: number;
  /** Places that cannot reach them. */
  readonly lost: number;
  /** Whether tokens that have no place, such as a class token, reach them too. */
  readonly besideTokens: boolean;
}

const count = (mask: readonly boolean[] | null | undefined, size: number): number =>
  mask ? mask.filter(Boolean).length : size;

export function reachOf({ name, form, shape }: Layer, reached: ReachedOf): LayerReach {
  const [, height, width] = shape as [number, number, number];
  const places = height * width;
  const masks = reached.get(name);
  if (!masks) return { places, lost: places, besideTokens: false };
  const { axes, prefix, suffix = 0, transposed } = form;
  if (axes === 'CHW' || axes === 'HWC') {
    const [down, across] = axes === 'CHW' ? masks.slice(2) : masks.slice(1);
    const sides = transposed ? [width, height] : [height, width];
    const kept = count(down, sides[0]!) * count(across, sides[1]!);
    return { places, lost: places - kept, besideTokens: false };
  }
  const tokens = masks[{ TC: 1, TNC: 0, CT: 2 }[axes]];
  const beside = tokens ? [...tokens.slice(0, prefix), ...tokens.slice(prefix + places)] : [];
  return {
    places,
    lost: places - count(tokens?.slice(prefix, prefix + places), places),
    besideTokens: prefix + suffix > 0 && (!tokens || beside.some(Boolean)),
  };
}

/** A value that goes to the scores past a layer. */
export interface Beside {
  readonly value: Value;
  /** A map or a part of it; tokens without a place; or values that no longer have a place, such as pooled features. */
  readonly kind: 'map' | 'tokens' | 'pooled';
  /** The last map of a separate branch that pooled features were made from. */
  readonly branch?: Value;
}

/** Finds values that are not computed from a layer and reach the scores without passing through it. */
export function besideOf(
  network: Network,
  layer: Value,
  { layers, places }: { readonly layers: readonly Layer[]; readonly places: PlacesOf },
): Beside[] {
  const { g, image, logits } = network;
  const { nodes, moving } = between(g, [image], [logits]);
  const reached = reachedIn(network, layer);
  const after = new Set([layer]);
  const met = new Set<Value>();
  for (const node of nodes) {
    if (!node.inputs.some((input) => after.has(input))) continue;
    for (const output of node.outputs) after.add(output);
    if (!node.outputs.some((output) => reached.has(output))) continue;
    for (const input of node.inputs) if (moving.has(input) && !after.has(input)) met.add(input);
  }
  return [...met].flatMap((value): Beside[] => {
    const taken = reached.get(value);
    if (!taken) return [];
    const kind = kindOf(taken, places, value, sizesOf(g, value));
    const branch = kind === 'pooled' ? lastOfBranch(g, value, layer, layers) : undefined;
    return [{ value, kind, ...(branch !== undefined && { branch }) }];
  });
}

/** Finds the last map that a value is computed from, but a layer is not. */
function lastOfBranch(
  g: GraphBuilder,
  value: Value,
  layer: Value,
  layers: readonly Layer[],
): Value | undefined {
  const [own, others] = [value, layer].map((of) => {
    const nodes = reachable(g.nodes, [of]);
    return new Set(nodes.flatMap(({ outputs }) => outputs));
  }) as [Set<Value>, Set<Value>];
  return layers.findLast(({ name }) => own.has(name) && !others.has(name))?.name;
}

function kindOf(
  taken: Reached,
  places: PlacesOf,
  value: Value,
  sizes: readonly number[] | undefined,
): Beside['kind'] {
  const known = places.get(value);
  if (!known || !sizes) return 'pooled';
  const somewhere = sizes.every((size, axis) => {
    const lines = known.along.slice(1).flatMap((each) => (each?.[axis] ? [each[axis]] : []));
    const indices = Array.from({ length: size }, (_, i) => i);
    return indices.some((i) => (taken[axis]?.[i] ?? true) && lines.every((line) => !Number.isNaN(line[i])));
  });
  return somewhere ? 'map' : 'tokens';
}
