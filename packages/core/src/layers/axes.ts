import type { GraphBuilder } from '../onnx/builder.ts';
import { int, ints, type Node, text } from '../onnx/graph.ts';
import type { Operator } from '../operators/operator.ts';
import { sizesOf } from '../operators/picks.ts';
import { rowsOf } from '../operators/row-by-row.ts';
import { einsumTerms } from '../operators/shape/reduction.ts';
import { axisOf } from '../operators/shape/rule.ts';
import { operators } from '../operators/table.ts';

// Finds which axis of an output corresponds to which axis of an input.

/** The relation of the axes of an operator's output to those of one of its inputs. */
export type Way =
  | { readonly kind: 'axes'; readonly axes: readonly (number | null)[] } // for each axis of the output, the input's
  | { readonly kind: 'view' }
  | { readonly kind: 'picks'; readonly picks: readonly (readonly number[] | null)[] }
  | { readonly kind: 'joins'; readonly axis: number; readonly first: number } // the input begins at `first`
  | { readonly kind: 'window' }; // a map of the map: axes from 2 on are those of the places

/** Longer axes are not followed: no image has so many rows, and their lists would take memory. */
const longest = 2 ** 20;

/** Finds the relation of output `k` of a node to its input `i`; `undefined` if it is not known. */
export function wayOf(g: GraphBuilder, node: Node, i: number, k: number): Way | undefined {
  const operator: Operator = operators[node.op];
  const [from, to] = [sizesOf(g, node.inputs[i]!), sizesOf(g, node.outputs[k]!)];
  if (!from || !to || [...from, ...to].some((d) => d <= 0 || d > longest)) return undefined;
  if (operator.picks) {
    const picks = i === 0 ? operator.picks(g, node, k) : undefined;
    return picks && { kind: 'picks', picks };
  }
  if (operator.movement === 'view' && !operator.elementwise) return { kind: 'view' };
  if (node.op === 'Transpose')
    return { kind: 'axes', axes: ints(node, 'perm') ?? [...from.keys()].reverse() };
  if (node.op === 'Concat') return joining(g, node, i, to.length);
  if (operator.elementwise)
    return { kind: 'axes', axes: to.map((_, axis) => axis - to.length + from.length) };
  if (operator.normalises && i === 0) return { kind: 'axes', axes: [...to.keys()] };
  const product = productAxes(g, node, i, to.length);
  if (product) return { kind: 'axes', axes: product };
  if (operator.map !== 'ends' && i === 0 && from.length === to.length && to.length > 2)
    return { kind: 'window' };
  const axes = to.map((_, axis) => rowsOf(g, node, axis)?.[i] ?? null);
  return { kind: 'axes', axes };
}

function joining(g: GraphBuilder, node: Node, i: number, rank: number): Way | undefined {
  const axis = axisOf(int(node, 'axis', 0), rank);
  const before = node.inputs.slice(0, i).map((input) => sizesOf(g, input)?.[axis] ?? Number.NaN);
  const first = before.reduce((a, b) => a + b, 0);
  return Number.isNaN(first) ? undefined : { kind: 'joins', axis, first };
}

/** For each axis of a matrix product's output, gives the axis of an operand; the output lacks the axes summed over. */
function productAxes(g: GraphBuilder, node: Node, i: number, rank: number): (number | null)[] | undefined {
  const ranks = node.inputs.map((input) => (input === '' ? 0 : g.shape(input).length));
  const own = ranks[i]!;
  if (node.op === 'MatMul')
    return Array.from({ length: rank }, (_, axis) => {
      if (own < 2 || ranks.some((r) => r < 2)) return null;
      if (axis < rank - 2) return axis - rank + own >= 0 ? axis - rank + own : null;
      return axis === rank - 2 + i ? own - 2 + i : null;
    });
  if (node.op === 'Gemm') {
    if (i > 1) return [null, null];
    const turned = int(node, i === 0 ? 'transA' : 'transB', 0) === 1;
    return [0, 1].map((axis) => (axis === i ? (turned ? 1 - axis : axis) : null));
  }
  if (node.op === 'Einsum') {
    const { terms, output } = einsumTerms(text(node, 'equation', ''), ranks);
    return [...output].map((letter) => (terms[i]!.includes(letter) ? terms[i]!.indexOf(letter) : null));
  }
  return undefined;
}

/** Whether only operators with windows use the output of a Pad, so that it is a padding of these windows. */
export function padsWindows(g: GraphBuilder, node: Node): boolean {
  const users = g.nodes.filter(({ inputs }) => inputs.includes(node.outputs[0]!));
  return users.every((user) => operators[user.op].window !== null);
}
