import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { isFloat } from '../onnx/dtype.ts';
import { div, matmul, mul, reshape, sub } from '../onnx/emit.ts';
import { float32 } from '../tensor.ts';
import { optional, required } from './operands.ts';
import { first, firstTwo, ofRealOperands } from './real-operands.ts';
import { keep, type Upgrade } from './upgraded.ts';

// Operators on quantized numbers, as the same operators on the real numbers that they stand for: real numbers have
// derivatives.

/** Dequantizes numbers, and keeps real numbers as they are; a scale per row or column runs along `axis`. */
export const real = (
  g: GraphBuilder,
  q: Value,
  scale: Value,
  zero: Value | undefined,
  axis: number,
): Value =>
  isFloat(g.dtype(q)) ? q : g.emit('DequantizeLinear', zero ? [q, scale, zero] : [q, scale], { axis });

/**
 * Computes q - zero as floats, for data. If a quantization made q, the real numbers are divided by their scale, so that
 * the cotangent passes through them.
 */
export function levels(g: GraphBuilder, q: Value, zero: Value | undefined): Value {
  const maker = g.maker(q);
  const scale =
    maker?.op === 'DynamicQuantizeLinear'
      ? g.demandOutput(maker, 1)
      : maker?.op === 'QuantizeLinear'
        ? maker.inputs[1]!
        : undefined;
  if (scale === undefined || g.shape(scale).some((d) => d !== 1))
    return real(g, q, g.constant(float32([], [1])), zero, 0);
  return div(g, real(g, q, scale, zero, 0), scale);
}

/** Computes q - zero as floats, for weights whose zero points, if there are several, run along `axis`. */
export function weightLevels(g: GraphBuilder, q: Value, zero: Value | undefined, axis: number): Value {
  const numbers = g.emit('Cast', [q], { to: 1 });
  if (!zero) return numbers;
  const count = g.shape(zero)[0];
  const along = g.shape(q).map((_, i) => (i === axis ? -1 : 1));
  const offset = g.emit('Cast', [zero], { to: 1 });
  return sub(
    g,
    numbers,
    count === undefined || count === 1
      ? offset
      : reshape(
          g,
          offset,
          along.map((d) => (d < 0 ? count : 1)),
        ),
  );
}

/** Tells whether all numbers share one zero point. */
export const isOne = (g: GraphBuilder, zero: Value | undefined): boolean =>
  !zero || g.shape(zero).every((d) => d === 1);

export const quantized: Readonly<Record<string, Upgrade>> = {
  QLinearConv: ofRealOperands(first, (g, node) => {
    const [x, xScale, xZero, w, wScale, wZero, scale, zero] = required(node, 8);
    const bias = optional(node, 8);
    const operands = [real(g, x!, xScale!, xZero, 0), real(g, w!, wScale!, wZero, 0)];
    if (bias) operands.push(real(g, bias, mul(g, xScale!, wScale!), undefined, 0));
    const y = g.emit('Conv', operands, node.attributes);
    return keep({ ...node, op: 'QuantizeLinear', inputs: [y, scale!, zero!], attributes: {} });
  }),
  QLinearMatMul: ofRealOperands(firstTwo, (g, node) => {
    const [a, aScale, aZero, b, bScale, bZero, scale, zero] = required(node, 8);
    const rank = (v: Value) => g.shape(v).length;
    const y = matmul(g, real(g, a!, aScale!, aZero, rank(a!) - 2), real(g, b!, bScale!, bZero, rank(b!) - 1));
    return keep({ ...node, op: 'QuantizeLinear', inputs: [y, scale!, zero!], attributes: {} });
  }),
  // The sums are whole numbers, here held as floats: a Cast to float follows, and a product with the scales.
  MatMulInteger(g, node) {
    const [a, b] = required(node, 2) as [Value, Value];
    const [aZero, bZero] = [optional(node, 2), optional(node, 3)];
    if (!isOne(g, aZero)) return keep(node);
    const inputs = [levels(g, a, aZero), weightLevels(g, b, bZero, g.shape(b).length - 1)];
    return keep({ ...node, op: 'MatMul', inputs, attributes: {} });
  },
  ConvInteger(g, node) {
    const [x, w] = required(node, 2) as [Value, Value];
    const inputs = [levels(g, x, optional(node, 2)), weightLevels(g, w, optional(node, 3), 0)];
    return keep({ ...node, op: 'Conv', inputs });
  },
};
