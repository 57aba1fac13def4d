import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { add, castLike, div, number, reshape } from '../../onnx/emit.ts';
import { int } from '../../onnx/graph.ts';
import { axisOf } from '../../onnx/shapes/fact.ts';
import { gate, type RuleContext, type VjpRules } from '../rule.ts';

// Quantized models, straight through: rounding counts as the identity, and what was cut off has derivative 0, as in
// PyTorch's fake quantization. The cotangent of a quantized value is that of the number it stands for.

/** A scale or zero point, one for all or one per channel, so that it broadcasts over x. */
function spread(c: RuleContext, i: number): Value {
  const [x, parameter] = [c.shape(0), c.shape(i)];
  if (parameter.length !== 1 || parameter[0] === 1) return c.x(i);
  const axis = axisOf(int(c.node, 'axis', 1), x.length);
  return reshape(
    c.g,
    c.x(i),
    x.map((_, k) => (k === axis ? parameter[0]! : 1)),
  );
}

const bounded = (g: GraphBuilder, v: Value, low: number, high: number): Value =>
  g.emit('And', [
    g.emit('GreaterOrEqual', [v, number(g, low, v)]),
    g.emit('LessOrEqual', [v, number(g, high, v)]),
  ]);

/** dy where round(x / scale) + zero point is representable. */
function quantizeVjp(c: RuleContext): Value {
  const { g, node, dy } = c;
  const signed = g.dtype(c.y) === 'int8';
  const steps = g.emit('Round', [div(g, c.x(0), spread(c, 1))]);
  const zero = node.inputs[2] ? castLike(g, spread(c, 2), steps) : number(g, 0, steps);
  const level = add(g, steps, zero);
  return gate(g, bounded(g, level, signed ? -128 : 0, signed ? 127 : 255), dy);
}

export const quantization: VjpRules = {
  QuantizeLinear: [quantizeVjp],
  DequantizeLinear: [({ dy }) => dy],
};
