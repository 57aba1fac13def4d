import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { int, ints, type Node } from '../onnx/graph.ts';
import { reducedAxes } from './shape/reduction.ts';
import { axisOf } from './shape/rule.ts';

// Operators that compute each row along an axis of their output from the same row of some of their inputs.

/** The axis of each input's rows, counted from the front; `null` if each output row uses the whole input. */
export type InputAxes = readonly (number | null)[];

/** Finds the input rows that make rows along `axis` of an output; `undefined`: not row by row. All shapes are known. */
export type Rows = (g: GraphBuilder, node: Node, axis: number) => InputAxes | undefined;

const rankOf = (g: GraphBuilder, node: Node, i = 0): number => g.shape(node.inputs[i]!).length;

/** Takes rows of the first input along axes for which `holds` is true; every row uses the other inputs whole. */
export const rowsWhere =
  (holds: (axis: number, node: Node, rank: number) => boolean): Rows =>
  (g, node, axis) =>
    holds(axis, node, rankOf(g, node)) ? node.inputs.map((_, i) => (i === 0 ? axis : null)) : undefined;

/** Takes rows along all axes but the node's, or along the axes before it. */
export const rowsBeside = (otherwise: number): Rows =>
  rowsWhere((axis, node, rank) => axis !== axisOf(int(node, 'axis', otherwise), rank));
export const rowsBefore = (otherwise: number): Rows =>
  rowsWhere((axis, node, rank) => axis < axisOf(int(node, 'axis', otherwise), rank));

/** Adapts `rows` to inputs after the first that have an element per channel. */
export const withChannels =
  (rows: Rows): Rows =>
  (g, node, axis) =>
    axis === 1
      ? node.inputs.map((input, i) =>
          i === 0
            ? 1
            : Math.max(
                0,
                g.shape(input).findIndex((d) => d !== 1),
              ),
        )
      : rows(g, node, axis);

export const broadcastRows: Rows = (g, node, axis) => {
  const rank = g.shape(node.outputs[0]!).length;
  return node.inputs.map((input) => broadcastAxis(g, input, rank, axis));
};

function broadcastAxis(g: GraphBuilder, input: Value, rank: number, axis: number): number | null {
  if (input === '') return null;
  const shape = g.shape(input);
  const own = axis - (rank - shape.length);
  return own < 0 || shape[own] === 1 ? null : own;
}

/** Finds an axis that a reshape keeps: its size, and the number of elements before it, are the same in both shapes. */
export const reshapedRows: Rows = (g, node, axis) => {
  const [from, to] = [g.shape(node.inputs[0]!), g.shape(node.outputs[0]!)];
  const product = (dims: readonly number[]) => dims.reduce((a, b) => a * b, 1);
  const before = product(to.slice(0, axis));
  const own = from.findIndex((d, i) => d === to[axis] && product(from.slice(0, i)) === before);
  return own < 0 ? undefined : node.inputs.map((_, i) => (i === 0 ? own : null));
};

export const transposedRows: Rows = (g, node, axis) => [
  ints(node, 'perm')?.[axis] ?? rankOf(g, node) - 1 - axis,
];

export const matmulRows: Rows = (g, node, axis) => {
  const [rank, a, b] = [g.shape(node.outputs[0]!).length, rankOf(g, node), rankOf(g, node, 1)];
  if (axis === rank - 1 || a < 2 || b < 2) return undefined;
  return axis === rank - 2 ? [a - 2, null] : broadcastRows(g, node, axis);
};

/** Takes rows along axes that are not reduced. */
export const reducedRows: Rows = (g, node, axis) => {
  const rank = rankOf(g, node);
  const given = node.inputs[1] ? g.elements(node.inputs[1]) : [];
  if (!given) return undefined;
  const axes = reducedAxes(rank, given, int(node, 'noop_with_empty_axes', 0) === 1);
  const left = Array.from({ length: rank }, (_, i) => i).filter((i) => !axes.includes(i));
  const own = int(node, 'keepdims', 1) === 1 ? axis : left[axis]!;
  return axes.includes(own) ? undefined : node.inputs.map((_, i) => (i === 0 ? own : null));
};

/** Takes rows along all axes but the axis of the concatenation. */
export const joinedRows: Rows = (g, node, axis) =>
  axis === axisOf(int(node, 'axis', 0), rankOf(g, node)) ? undefined : node.inputs.map(() => axis);
