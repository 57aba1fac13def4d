import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { mul, scale, transpose } from '../../onnx/emit.ts';
import { float, int, type Node, real as realOf } from '../../onnx/graph.ts';
import type { OperatorName } from '../../onnx/operator-names.ts';
import { flattenedSoftmax } from '../flattened-softmax.ts';
import { optional, required } from '../operands.ts';
import { spellPads, without } from '../pads.ts';
import { real } from '../quantized.ts';
import { first, firstTwo, ofRealOperands } from '../real-operands.ts';
import { keep, type Upgrade, type Upgraded } from '../upgraded.ts';
import { named } from './named.ts';

// Operators on 8-bit numbers as the same operators on the real numbers that they stand for (see `../quantized`).

/** Makes real numbers of the input at `at`, which is followed by its scale and its zero point. */
const realAt = (g: GraphBuilder, node: Node, at: number, axis = 0): Value =>
  real(g, node.inputs[at]!, node.inputs[at + 1]!, optional(node, at + 2), axis);

/** Quantizes a result to 8-bit numbers by the scale and zero point at `at`; a zero point left out is 0. */
function quantizedAs(g: GraphBuilder, node: Node, value: Value, at: number, like: Value): Upgraded {
  const factor = node.inputs[at];
  if (!factor) throw new RangeError('a scale is needed');
  const zero = optional(node, at + 1) ?? zeroOf(g, like);
  return named(node, 'QuantizeLinear', [value, factor, zero]);
}

/** Makes 0 in the type of whole numbers, also for real numbers made from them. */
const zeroOf = (g: GraphBuilder, like: Value): Value =>
  g.dtype(g.maker(like)?.op === 'DequantizeLinear' ? g.maker(like)!.inputs[0]! : like) === 'int8'
    ? g.constant({ dtype: 'int8', shape: [], data: Int8Array.of(0) })
    : g.constant({ dtype: 'uint8', shape: [], data: Uint8Array.of(0) });

/** Moves the channels of a map from last to the second axis. */
function toFirst(g: GraphBuilder, x: Value): Value {
  const rank = g.shape(x).length;
  return transpose(g, x, [0, rank - 1, ...Array.from({ length: rank - 2 }, (_, i) => i + 1)]);
}

/** Makes the permutation back. */
const toLast = (rank: number): number[] => [0, ...Array.from({ length: rank - 2 }, (_, i) => i + 2), 1];

/** Applies `make` to a map with channels as its second axis, even if the node has them last. */
function channelsFirst(g: GraphBuilder, x: Value, node: Node, make: (x: Value) => Value): Value {
  if (int(node, 'channels_last', 0) !== 1) return make(x);
  const y = make(toFirst(g, x));
  return transpose(g, y, toLast(g.shape(y).length));
}

/** Slides a window over a map, with its padding spelled out. */
function windowed(g: GraphBuilder, op: OperatorName, node: Node, x: Value, weights: Value[] = []): Value {
  const attributes = without(node.attributes, 'channels_last', 'opset');
  const spelled = spellPads(g, { ...node, op, inputs: [x, ...weights], attributes }, g.opset);
  const [made] = (spelled as { readonly nodes: readonly Node[] }).nodes;
  return g.emit(op, made!.inputs, made!.attributes);
}

/** Upgrades an operator of two operands. */
const binary = (op: OperatorName): Upgrade =>
  ofRealOperands(firstTwo, (g, node) => {
    const [a] = required(node, 2) as [Value];
    return quantizedAs(g, node, g.emit(op, [realAt(g, node, 0), realAt(g, node, 3)]), 6, a);
  });

/** Upgrades an operator of one operand. */
const unary = (make: (g: GraphBuilder, x: Value, node: Node) => Value): Upgrade =>
  ofRealOperands(first, (g, node) => {
    const [x] = required(node, 2) as [Value];
    return quantizedAs(g, node, make(g, realAt(g, node, 0), node), 3, x);
  });

function softmaxOf(g: GraphBuilder, x: Value, node: Node): Value {
  const opset = int(node, 'opset', 13);
  const axis = int(node, 'axis', opset < 13 ? 1 : -1);
  const own: Node = { op: 'Softmax', name: node.name, inputs: [x], outputs: [''], attributes: { axis } };
  const [last] = (flattenedSoftmax(g, own, opset) as { readonly nodes: readonly Node[] }).nodes;
  return g.emit(last!.op, last!.inputs, last!.attributes);
}

/** Lists the operands of a Concat: each is followed by its scale and zero point. */
const joined = ({ inputs }: Node): readonly number[] =>
  inputs.flatMap((_, at) => (at >= 2 && (at - 2) % 3 === 0 ? [at] : []));

export const quantizedOperators = {
  'com.microsoft.QuantizeLinear': (_, node) => keep({ ...node, op: 'QuantizeLinear' }),
  'com.microsoft.DequantizeLinear': (_, node) => keep({ ...node, op: 'DequantizeLinear' }),
  'com.microsoft.QLinearAdd': binary('Add'),
  'com.microsoft.QLinearMul': binary('Mul'),
  'com.microsoft.QLinearSigmoid': unary((g, x) => g.emit('Sigmoid', [x])),
  'com.microsoft.QLinearLeakyRelu': unary((g, x, node) =>
    g.emit('LeakyRelu', [x], { alpha: float(realOf(node, 'alpha', 0.01)) }),
  ),
  'com.microsoft.QLinearSoftmax': unary(softmaxOf),
  'com.microsoft.QLinearAveragePool': unary((g, x, node) =>
    channelsFirst(g, x, node, (map) => windowed(g, 'AveragePool', node, map)),
  ),
  'com.microsoft.QLinearGlobalAveragePool': unary((g, x, node) =>
    channelsFirst(g, x, node, (map) => g.emit('GlobalAveragePool', [map])),
  ),
  'com.microsoft.NhwcMaxPool'(g, node) {
    const [x] = required(node, 1) as [Value];
    const pooled = windowed(g, 'MaxPool', node, toFirst(g, x));
    return named(node, 'Transpose', [pooled], { perm: toLast(g.shape(pooled).length) });
  },
  'com.microsoft.QLinearConcat': ofRealOperands(joined, (g, node) => {
    const [first] = required(node, 3).slice(2);
    const values = joined(node).map((at) => realAt(g, node, at));
    return quantizedAs(g, node, g.emit('Concat', values, { axis: int(node, 'axis', 0) }), 0, first!);
  }),
  'com.microsoft.QLinearConv': ofRealOperands(first, (g, node) => {
    const [x, xScale, , , wScale] = required(node, 8) as [Value, Value, Value, Value, Value];
    const bias = optional(node, 8);
    const weights = [
      realAt(g, node, 3),
      ...(bias ? [real(g, bias, mul(g, xScale, wScale), undefined, 0)] : []),
    ];
    const y = channelsFirst(g, realAt(g, node, 0), node, (map) => windowed(g, 'Conv', node, map, weights));
    return quantizedAs(g, node, y, 6, x);
  }),
  'com.microsoft.QGemm': ofRealOperands(firstTwo, (g, node) => {
    const [a, aScale, , , bScale] = required(node, 6) as [Value, Value, Value, Value, Value];
    const [bias, last] = [optional(node, 6), optional(node, 7)];
    const { alpha, transA = 0, transB = 0 } = node.attributes;
    const factor = mul(g, scale(g, aScale, realOf(node, 'alpha', 1)), bScale);
    const inputs = [realAt(g, node, 0), realAt(g, node, 3, transB === 0 ? 1 : 0)];
    if (bias) inputs.push(real(g, bias, factor, undefined, g.shape(bias).length - 1));
    const attributes = { ...(alpha !== undefined && { alpha }), transA, transB };
    if (!last) return named(node, 'Gemm', inputs, attributes);
    return quantizedAs(g, node, g.emit('Gemm', inputs, attributes), 7, a);
  }),
} satisfies Record<string, Upgrade>;
