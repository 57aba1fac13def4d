import type { GraphBuilder, Value } from './builder.ts';
import { isFloat } from './dtype.ts';
import { add, matmul, mul, number, reshape, transpose, where } from './emit.ts';
import { int, type Node, real } from './graph.ts';
import { keep, type Upgraded } from './upgraded.ts';

/**
 * Attention (opset 23) as what it stands for, softmax(s·q·kᵀ + mask)·v, with heads as an axis or folded into the last
 * one. Caches, soft caps, causal masks and grouped heads are left as they are, and so without a derivative.
 */
export function attention(g: GraphBuilder, node: Node): Upgraded {
  const [query, key, val, mask] = node.inputs as [Value, Value, Value, Value | undefined];
  const plain =
    node.outputs.filter((output) => output !== '').length === 1 &&
    node.inputs.slice(4).every((input) => input === '') &&
    int(node, 'is_causal', 0) === 0 &&
    real(node, 'softcap', 0) === 0;
  if (!plain || ![query, key, val].every((v) => g.knows(v))) return keep(node);
  const folded = g.shape(query).length === 3;
  const heads = folded ? int(node, 'q_num_heads', 1) : g.shape(query)[1]!;
  if ((folded ? int(node, 'kv_num_heads', 1) : g.shape(key)[1]) !== heads) return keep(node);

  const [q, k, v] = [query, key, val].map((x) => (folded ? unfolded(g, x, heads) : x)) as [
    Value,
    Value,
    Value,
  ];
  const scale = real(node, 'scale', 1 / Math.sqrt(g.shape(q)[3]!));
  const products = matmul(g, mul(g, q, number(g, scale, q)), transpose(g, k, [0, 1, 3, 2]));
  const scores = mask ? masked(g, products, mask) : products;
  const weights = g.emit('Softmax', [scores], { axis: -1 });
  if (!folded) return keep({ ...node, op: 'MatMul', inputs: [weights, v], attributes: {} });
  const rows = transpose(g, matmul(g, weights, v), [0, 2, 1, 3]);
  return keep({ ...node, op: 'Reshape', inputs: [rows, g.ints([0, 0, -1])], attributes: {} });
}

/** [B, S, H·D] → [B, H, S, D] */
function unfolded(g: GraphBuilder, x: Value, heads: number): Value {
  const [batch, length, width] = g.shape(x) as [number, number, number];
  return transpose(g, reshape(g, x, [batch, length, heads, width / heads]), [0, 2, 1, 3]);
}

/** A mask is added, or says where to look. */
const masked = (g: GraphBuilder, scores: Value, mask: Value): Value =>
  isFloat(g.dtype(mask))
    ? add(g, scores, mask)
    : where(g, mask, scores, number(g, Number.NEGATIVE_INFINITY, scores));
