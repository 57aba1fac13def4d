import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { isFloat } from '../onnx/dtype.ts';
import {
  add,
  equal,
  matmul,
  maximum,
  mul,
  number,
  reshape,
  scale,
  transpose,
  unsqueeze,
  where,
} from '../onnx/emit.ts';
import { int, type Node, real } from '../onnx/graph.ts';
import { int64 } from '../tensor.ts';
import { keep, type Upgraded } from './upgraded.ts';

/**
 * Replaces Attention (opset 23) by its definition, softmax(cap(s·q·kᵀ) + mask)·v, with heads as an axis or folded into
 * the last axis, and keys and values that several heads of the query share. A query whose keys are all masked gets
 * zeros. Nodes with caches or windows are left as they are, and so without a derivative.
 */
export function attention(g: GraphBuilder, node: Node): Upgraded {
  const [query, key, val, mask] = node.inputs as [Value, Value, Value, Value | undefined];
  const alone =
    node.outputs.filter((output) => output !== '').length === 1 &&
    node.inputs.slice(4).every((input) => input === '') &&
    ['left_window_size', 'right_window_size'].every((side) => int(node, side, -1) < 0);
  if (!alone || ![query, key, val].every((v) => g.knows(v))) return keep(node);
  const folded = g.shape(query).length === 3;
  const heads = folded ? int(node, 'q_num_heads', 1) : g.shape(query)[1]!;
  const shared = folded ? int(node, 'kv_num_heads', 1) : g.shape(key)[1]!;
  if (heads % shared !== 0) return keep(node);

  const unfold = (x: Value, heads: number): Value => (folded ? unfolded(g, x, heads) : x);
  const q = unfold(query, heads);
  const [k, v] = [key, val].map((x) => repeated(g, unfold(x, shared), heads / shared)) as [Value, Value];
  const [from, to] = [g.shape(q)[2]!, g.shape(k)[2]!];
  const causal = int(node, 'is_causal', 0) === 1;
  if ((mask && g.shape(mask).at(-1) !== to) || (causal && !(from > 0 && to > 0))) return keep(node);
  const factor = real(node, 'scale', 1 / Math.sqrt(g.shape(q)[3]!));
  const products = matmul(g, mul(g, q, number(g, factor, q)), transpose(g, k, [0, 1, 3, 2]));
  const cap = real(node, 'softcap', 0);
  const capped = cap === 0 ? products : softCapped(g, products, cap);
  const seen = mask ? masked(g, capped, mask) : capped;
  const scores = causal ? masked(g, seen, notAfter(g, from, to)) : seen;
  const weights =
    mask && blinds(g, mask, causal) ? seeing(g, scores) : g.emit('Softmax', [scores], { axis: -1 });
  if (!folded) return keep({ ...node, op: 'MatMul', inputs: [weights, v], attributes: {} });
  const rows = transpose(g, matmul(g, weights, v), [0, 2, 1, 3]);
  return keep({ ...node, op: 'Reshape', inputs: [rows, g.ints([0, 0, -1])], attributes: {} });
}

/** [B, S, H·D] → [B, H, S, D] */
export function unfolded(g: GraphBuilder, x: Value, heads: number): Value {
  const [batch, length, width] = g.shape(x) as [number, number, number];
  return transpose(g, reshape(g, x, [batch, length, heads, width / heads]), [0, 2, 1, 3]);
}

/** [B, H, S, D] → [B, H·times, S, D], each head `times` times in a row */
function repeated(g: GraphBuilder, x: Value, times: number): Value {
  if (times === 1) return x;
  const [batch, heads, length, width] = g.shape(x) as [number, number, number, number];
  const groups = g.emit('Tile', [unsqueeze(g, x, [2]), g.ints([1, 1, times, 1, 1])]);
  return reshape(g, groups, [batch, heads * times, length, width]);
}

/** c·tanh(x / c) */
const softCapped = (g: GraphBuilder, x: Value, cap: number): Value =>
  scale(g, g.emit('Tanh', [scale(g, x, 1 / cap)]), cap);

/** Adds a float mask, or hides keys by a bool mask. */
const masked = (g: GraphBuilder, scores: Value, mask: Value): Value =>
  isFloat(g.dtype(mask))
    ? add(g, scores, mask)
    : where(g, mask, scores, number(g, Number.NEGATIVE_INFINITY, scores));

/** Tells whether a mask [… queries, keys] may hide every key from a query. */
function blinds(g: GraphBuilder, mask: Value, causal: boolean): boolean {
  const known = g.constants.get(mask);
  if (!known) return true;
  const [queries, keys] = [known.shape.at(-2) ?? 1, known.shape.at(-1)!];
  const shown = Array.from(known.data as ArrayLike<number | bigint>, (v) =>
    isFloat(known.dtype) ? v > Number.NEGATIVE_INFINITY : Boolean(v),
  );
  return Array.from({ length: shown.length / keys }, (_, row) => row).some(
    (row) => !shown.slice(row * keys, row * keys + (causal ? (row % queries) + 1 : keys)).some(Boolean),
  );
}

/** Applies softmax over keys; if all keys of a query are hidden, gives zeros, and a derivative without NaN. */
function seeing(g: GraphBuilder, scores: Value): Value {
  const blind = equal(g, maximum(g, scores, [-1]), number(g, Number.NEGATIVE_INFINITY, scores));
  const zero = number(g, 0, scores);
  return where(g, blind, zero, g.emit('Softmax', [where(g, blind, zero, scores)], { axis: -1 }));
}

/** Makes the causal mask: each query sees itself and earlier places; [from, to], true on and below the diagonal. */
export function notAfter(g: GraphBuilder, from: number, to: number): Value {
  const whole = (value: number) => g.constant(int64([], [value]));
  const places = (count: number) => g.emit('Range', [whole(0), whole(count), whole(1)]);
  return g.emit('LessOrEqual', [places(to), unsqueeze(g, places(from), [1])]);
}
