import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { add, castLike, matmul, number, scale, sub, transpose, unsqueeze, where } from '../../onnx/emit.ts';
import { int, ints, type Node, real } from '../../onnx/graph.ts';
import { int64 } from '../../tensor.ts';
import { notAfter, unfolded } from '../attention.ts';
import { optional, required } from '../operands.ts';
import { real as dequantized } from '../quantized.ts';
import type { Upgrade, Upgraded } from '../upgraded.ts';
import { named } from './named.ts';
import { projected } from './products.ts';
import { unsupported } from './refusal.ts';

// Attention as softmax(q·kᵀ·scale + bias + mask)·v in single operators, as exporters write it. Caches of earlier
// tokens (past, present) are only for texts.

/** Operands with heads as an axis: [batch, heads, tokens, width]. */
interface Operands {
  readonly query: Value;
  readonly key: Value;
  readonly value: Value;
}

/** The bias added to the products, and the mask of hidden tokens. */
interface Added {
  readonly bias: Value | undefined;
  readonly mask: Value | undefined;
}

function attended(g: GraphBuilder, node: Node, operands: Operands, { bias, mask }: Added): Upgraded {
  const { query, key, value } = operands;
  const [tokens, others, width] = [g.shape(query)[2]!, g.shape(key)[2]!, g.shape(query)[3]!];
  const factor = real(node, 'scale', 0) || 1 / Math.sqrt(width);
  const products = scale(g, matmul(g, query, transpose(g, key, [0, 1, 3, 2])), factor);
  const biased = bias ? add(g, products, bias) : products;
  const hidden = real(node, 'mask_filter_value', -10_000);
  const masked = mask ? add(g, biased, fromMask(g, node, mask, hidden, biased)) : biased;
  const causal = int(node, 'unidirectional', 0) === 1;
  if (causal && !(tokens > 0 && others > 0)) throw unsupported(node, 'a number of tokens that is not known');
  const scores = causal
    ? where(g, notAfter(g, tokens, others), masked, number(g, Number.NEGATIVE_INFINITY, masked))
    : masked;
  const rows = matmul(g, g.emit('Softmax', [scores], { axis: -1 }), value);
  return named(node, 'Reshape', [transpose(g, rows, [0, 2, 1, 3]), g.ints([0, 0, -1])]);
}

/** Makes 0 where a mask is 1 (token visible), and `hidden` elsewhere, for [batch, heads, tokens, others]. */
function fromMask(g: GraphBuilder, node: Node, mask: Value, hidden: number, like: Value): Value {
  const shape = g.shape(mask);
  const others = g.shape(like)[3]!;
  if (shape.length === 1) return fromLengths(g, node, mask, hidden, like);
  if ((shape.length !== 2 && shape.length !== 3) || shape.at(-1) !== others)
    throw unsupported(node, `a mask [${shape.map((d) => (d < 0 ? 'batch' : d))}]`);
  const rest = sub(g, number(g, 1, like), castLike(g, mask, like));
  return scale(g, unsqueeze(g, rest, shape.length === 2 ? [1, 2] : [1]), hidden);
}

/** Makes the mask from each image's number of tokens that are no padding, [batch]. */
function fromLengths(g: GraphBuilder, node: Node, lengths: Value, hidden: number, like: Value): Value {
  const [batch, , , others] = g.shape(like) as [number, number, number, number];
  if (g.shape(lengths)[0] !== batch || others < 1) throw unsupported(node, 'a mask of starts and ends');
  const places = g.constant(
    int64(
      [1, others],
      Array.from({ length: others }, (_, i) => i),
    ),
  );
  const ends = unsqueeze(g, g.emit('Cast', [lengths], { to: 7 }), [1]);
  const padded = g.emit('GreaterOrEqual', [places, ends]);
  return where(g, unsqueeze(g, padded, [1, 2]), number(g, hidden, like), number(g, 0, like));
}

function refuseMemory(node: Node, inputs: readonly number[]): void {
  if (inputs.some((i) => optional(node, i)) || node.outputs.slice(1).some((output) => output !== ''))
    throw unsupported(node, 'a memory of earlier tokens');
  if (int(node, 'do_rotary', 0) !== 0) throw unsupported(node, 'rotary positions');
}

function headsOf(node: Node): number {
  const heads = int(node, 'num_heads', 0);
  if (heads < 1) throw new RangeError('num_heads is needed');
  return heads;
}

/** Splits packed q, k and v [batch, tokens, q + k + v], and unfolds heads. */
function apart(g: GraphBuilder, node: Node, packed: Value): Operands {
  const width = g.shape(packed)[2]!;
  const sizes = ints(node, 'qkv_hidden_sizes') ?? [width / 3, width / 3, width / 3];
  const [query, key, value] = g.emitAll('Split', [packed, g.ints(sizes)], { axis: 2 }, 3) as [
    Value,
    Value,
    Value,
  ];
  const heads = headsOf(node);
  const unfold = (x: Value) => unfolded(g, x, heads);
  return { query: unfold(query), key: unfold(key), value: unfold(value) };
}

/** Splits [batch, tokens, heads, count, width] along the fourth axis, and moves heads to the second axis. */
function unpacked(g: GraphBuilder, packed: Value, count: number): Value[] {
  const parts = g.emitAll('Split', [packed], { axis: 3 }, count);
  return parts.map((part) => transpose(g, g.emit('Squeeze', [part, g.ints([3])]), [0, 2, 1, 3]));
}

/** Reads query, key and value, separate or packed together, with a bias for each. */
function operandsOf(g: GraphBuilder, node: Node): Operands {
  const heads = headsOf(node);
  const [given] = required(node, 1) as [Value];
  const [key, value, bias] = [optional(node, 1), optional(node, 2), optional(node, 3)];
  const rank = g.shape(given).length;
  if (rank === 5) {
    if (bias) throw unsupported(node, 'a bias for packed queries');
    const [q, k, v] = unpacked(g, given, 3) as [Value, Value, Value];
    return { query: q, key: k, value: v };
  }
  if (!key || rank !== 3) throw unsupported(node, `a query of ${rank} dimensions`);
  const width = g.shape(given)[2]!;
  const biased = (x: Value, from: number) => {
    if (!bias) return x;
    const own = g.emit('Slice', [bias, g.ints([from]), g.ints([from + g.shape(x)[2]!]), g.ints([0])]);
    return add(g, x, own);
  };
  const query = unfolded(g, biased(given, 0), heads);
  if (g.shape(key).length === 5) {
    if (bias) throw unsupported(node, 'a bias for packed keys');
    const [k, v] = unpacked(g, key, 2) as [Value, Value];
    return { query, key: k, value: v };
  }
  if (!value) throw unsupported(node, 'no values');
  // Keys and values of another sequence come by heads, and the bias was added to them before.
  if (g.shape(key).length === 4) return { query: bias ? query : unfolded(g, given, heads), key, value };
  return {
    query,
    key: unfolded(g, biased(key, width), heads),
    value: unfolded(g, biased(value, 2 * width), heads),
  };
}

export const attentions = {
  'com.microsoft.Attention'(g, node) {
    refuseMemory(node, [4, 6]);
    const [x, weights] = required(node, 2) as [Value, Value];
    const operands = apart(g, node, projected(g, x, weights, optional(node, 2)));
    return attended(g, node, operands, { bias: optional(node, 5), mask: optional(node, 3) });
  },
  'com.microsoft.MultiHeadAttention'(g, node) {
    refuseMemory(node, [6, 7, 8, 9]);
    return attended(g, node, operandsOf(g, node), { bias: optional(node, 5), mask: optional(node, 4) });
  },
  'com.microsoft.QAttention'(g, node) {
    refuseMemory(node, [8]);
    const [x, weights, bias, scaleOfX, scaleOfWeights] = required(node, 5) as [
      Value,
      Value,
      Value,
      Value,
      Value,
    ];
    const real = (value: Value, factor: Value, zero: number, axis: number) =>
      dequantized(g, value, factor, optional(node, zero), axis);
    const packed = projected(g, real(x, scaleOfX, 6, 0), real(weights, scaleOfWeights, 7, 1), bias);
    return attended(g, node, apart(g, node, packed), { bias: undefined, mask: optional(node, 5) });
  },
} satisfies Record<string, Upgrade>;
