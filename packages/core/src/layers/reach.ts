import { between } from '../autodiff/path.ts';
import type { Network } from '../model/classifier.ts';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { ints, type Node } from '../onnx/graph.ts';
import { sizesOf } from '../operators/picks.ts';
import { rowsOf } from '../operators/row-by-row.ts';
import { operators } from '../operators/table.ts';
import { type Window, windowOf } from '../operators/window.ts';
import { sizeOf } from '../tensor.ts';
import { type Way, wayOf } from './axes.ts';
import { indexOf, regrouped } from './regroup.ts';

// Finds which elements of a value reach the scores. Elements are identified by their index along each axis: the indices
// that several readers take are united axis by axis, so that the result may contain too many elements, never too few.

/** For each axis of a value, whether each of its indices reaches the scores; `null` if all do. */
export type Reached = readonly (readonly boolean[] | null)[];
export type ReachedOf = ReadonlyMap<Value, Reached>;

/** Finds which elements of each value on the way from the image reach the scores, if nothing passes through `cut`. */
export function reachedIn(
  { g, image, logits }: Pick<Network, 'g' | 'image' | 'logits'>,
  cut?: Value,
): ReachedOf {
  const { nodes, moving } = between(g, [image], [logits]);
  const reached = new Map<Value, Reached>([[logits, g.shape(logits).map(() => null)]]);
  for (const node of nodes.toReversed())
    node.outputs.forEach((output, k) => {
      const wanted = output === cut ? undefined : reached.get(output);
      if (!wanted) return;
      node.inputs.forEach((input, i) => {
        if (input === '' || !moving.has(input)) return;
        const taken = takenOf(g, node, i, k, wanted);
        if (taken) reached.set(input, united(reached.get(input), taken));
      });
    });
  return reached;
}

/** Unites the elements of two masks. */
const united = (a: Reached | undefined, b: Reached): Reached =>
  a
    ? a.map((mask, axis) => {
        const other = b[axis]!;
        return mask && other ? trimmed(mask.map((taken, i) => taken || other[i]!)) : null;
      })
    : b;

const trimmed = (mask: readonly boolean[]): readonly boolean[] | null => (mask.every(Boolean) ? null : mask);

/** Finds the elements of input `i` that the wanted part of output `k` is made from; `undefined` if there are none. */
function takenOf(g: GraphBuilder, node: Node, i: number, k: number, wanted: Reached): Reached | undefined {
  const [from, to] = [sizesOf(g, node.inputs[i]!), sizesOf(g, node.outputs[k]!)];
  if (!from) return [];
  const way = to && wayOf(g, node, i, k);
  const taken = way ? masks(g, node, way, wanted, from, to) : from.map(() => null);
  if (taken.some((mask) => mask?.every((t) => !t))) return undefined;
  return taken.map((mask) => mask && trimmed(mask));
}

function masks(
  g: GraphBuilder,
  node: Node,
  way: Way,
  wanted: Reached,
  from: readonly number[],
  to: readonly number[],
): Reached {
  const all = from.map(() => null);
  switch (way.kind) {
    case 'axes':
      return from.map((size, axis) => {
        const at = way.axes.indexOf(axis);
        const mask = at < 0 || mixesAlong(g, node, at) ? null : wanted[at]!;
        return mask && size === 1 && to[at] !== 1 ? null : mask;
      });
    case 'view':
      return regrouped(wanted, to, from, reshapedMasks) ?? all;
    case 'joins':
      return wanted.map((mask, axis) =>
        mask && axis === way.axis ? mask.slice(way.first, way.first + from[axis]!) : mask,
      );
    case 'window': {
      const window = windowAt(g, node, from.slice(2));
      return from.map((_, axis) => {
        if (axis === 0) return wanted[0]!;
        return axis === 1 || !window ? null : seen(window, axis - 2, wanted[axis]!, from[axis]!, to[axis]!);
      });
    }
    case 'picks': {
      const added = way.picks.length - from.length;
      const sizes = way.picks.map((indices, axis) => indices?.length ?? from[axis - added]!);
      const before = regrouped(wanted, to, sizes, reshapedMasks);
      if (!before) return all;
      return from.map((size, axis) => {
        const [indices, mask] = [way.picks[axis + added]!, before[axis + added]!];
        if (!indices) return mask;
        const taken = Array<boolean>(size).fill(false);
        indices.forEach((index, at) => {
          if (index >= 0 && (mask?.[at] ?? true)) taken[index] = true;
        });
        return taken;
      });
    }
  }
}

/** Whether each element is made from all elements along an axis that the output keeps: by a Softmax, a norm. */
const mixesAlong = (g: GraphBuilder, node: Node, axis: number): boolean =>
  operators[node.op].normalises && rowsOf(g, node, axis) === undefined;

function reshapedMasks(
  masks: Reached,
  from: readonly number[],
  to: readonly number[],
): readonly (readonly boolean[] | null)[] {
  const taken = to.map((size) => Array<boolean>(size).fill(false));
  for (let k = 0; k < sizeOf(from); k++) {
    if (!indexOf(k, from).every((i, axis) => masks[axis]?.[i] ?? true)) continue;
    for (const [axis, i] of indexOf(k, to).entries()) taken[axis]![i] = true;
  }
  return taken.map(trimmed);
}

/** Gives the window of a node, if it has a window. */
function windowAt(g: GraphBuilder, node: Node, spatial: readonly number[]): Window | undefined {
  const { window, weights } = operators[node.op];
  const kernel =
    ints(node, 'kernel_shape') ?? (weights === null ? undefined : g.shape(node.inputs[weights]!).slice(2));
  return window !== null && kernel ? windowOf(node, kernel, spatial) : undefined;
}

/** Finds the positions along one axis that a window takes to make the wanted positions. */
function seen(
  { kernel, strides, dilations, before }: Window,
  axis: number,
  wanted: readonly boolean[] | null,
  size: number,
  count: number,
): readonly boolean[] {
  const taken = Array<boolean>(size).fill(false);
  for (let o = 0; o < count; o++) {
    if (wanted && !wanted[o]) continue;
    for (let k = 0; k < kernel[axis]!; k++) {
      const at = o * strides[axis]! - before[axis]! + k * dilations[axis]!;
      if (at >= 0 && at < size) taken[at] = true;
    }
  }
  return taken;
}
