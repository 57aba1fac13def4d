import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { int, type Node } from '../onnx/graph.ts';
import { axisOf } from './shape/rule.ts';
import { positionsOf, slicedRuns, splitSizes } from './shape/slicing.ts';

// Operators that take elements of their first input by position.

/**
 * Lists the indices that an output takes along each axis of the first input: -1 is no element of the input, `null` all
 * in order. The result is the output, except for axes of size 1. If there are more lists than axes, axes of size 1 are
 * put before the input's. `undefined`: the indices are unknown.
 */
export type Picks = (
  g: GraphBuilder,
  node: Node,
  output: number,
) => readonly (readonly number[] | null)[] | undefined;

/** The number of images that stands for a batch of any size in counts of sizes. */
const images = 2;

/** Returns a value's sizes with two images for a batch of any size; `undefined` if they are not known. */
export const sizesOf = (g: GraphBuilder, value: Value): readonly number[] | undefined =>
  value !== '' && g.type(value) ? g.shape(value).map((d) => (d < 0 ? -d * images : d)) : undefined;

const elementsOf = (g: GraphBuilder, node: Node, i: number): readonly number[] | undefined =>
  g.elements(node.inputs[i] ?? '');

/** Takes a list of indices along one axis, and all other axes in order. */
const along = (rank: number, axis: number, indices: readonly number[]) =>
  Array.from({ length: rank }, (_, i) => (i === axis ? indices : null));

export const slicePicks: Picks = (g, node) => {
  const sizes = sizesOf(g, node.inputs[0]!);
  const [starts, ends] = [elementsOf(g, node, 1), elementsOf(g, node, 2)];
  if (!sizes || !starts || !ends) return undefined;
  const optional = [3, 4].map((i) => ((node.inputs[i] ?? '') === '' ? undefined : elementsOf(g, node, i)));
  if (optional.some((given, i) => !given && (node.inputs[i + 3] ?? '') !== '')) return undefined;
  return slicedRuns(sizes, starts, ends, optional[0], optional[1]).map((run, axis) =>
    run.step === 1 && run.count === sizes[axis] ? null : positionsOf(run),
  );
};

export const gatherPicks: Picks = (g, node) => {
  const sizes = sizesOf(g, node.inputs[0]!);
  const indices = elementsOf(g, node, 1);
  if (!sizes || !indices) return undefined;
  const axis = axisOf(int(node, 'axis', 0), sizes.length);
  return along(
    sizes.length,
    axis,
    indices.map((i) => (i < 0 ? i + sizes[axis]! : i)),
  );
};

export const splitPicks: Picks = (g, node, output) => {
  const sizes = sizesOf(g, node.inputs[0]!);
  const given = (node.inputs[1] ?? '') === '' ? undefined : elementsOf(g, node, 1);
  if (!sizes || ((node.inputs[1] ?? '') !== '' && !given)) return undefined;
  const axis = axisOf(int(node, 'axis', 0), sizes.length);
  const parts = splitSizes(sizes[axis]!, node.outputs.length, given);
  const first = parts.slice(0, output).reduce((a, b) => a + b, 0);
  return along(
    sizes.length,
    axis,
    Array.from({ length: parts[output]! }, (_, i) => first + i),
  );
};

/** Gives padding the index -1 (no element of the input), in every mode. */
export const padPicks: Picks = (g, node) => {
  const sizes = sizesOf(g, node.inputs[0]!);
  const pads = elementsOf(g, node, 1);
  const given = (node.inputs[3] ?? '') === '' ? undefined : elementsOf(g, node, 3);
  if (!sizes || !pads || ((node.inputs[3] ?? '') !== '' && !given)) return undefined;
  const axes = given?.map((axis) => axisOf(axis, sizes.length)) ?? [...sizes.keys()];
  return sizes.map((size, axis) => {
    const at = axes.indexOf(axis);
    const [before, after] = at < 0 ? [0, 0] : [pads[at]!, pads[at + axes.length]!];
    if (before === 0 && after === 0) return null;
    return Array.from({ length: before + size + after }, (_, i) =>
      i >= before && i < before + size ? i - before : -1,
    );
  });
};

/** Repeats an axis' indices up to the length of the output. */
export const repeatPicks: Picks = (g, node) => {
  const [from, to] = [sizesOf(g, node.inputs[0]!), sizesOf(g, node.outputs[0]!)];
  if (!from || !to) return undefined;
  const padded = [...Array<number>(to.length - from.length).fill(1), ...from];
  return padded.map((size, axis) =>
    size === to[axis] ? null : Array.from({ length: to[axis]! }, (_, i) => i % size),
  );
};
