import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { add, castLike, div, number, reshape, zerosLike } from '../../onnx/emit.ts';
import { int } from '../../onnx/graph.ts';
import { axisOf } from '../shape/fact.ts';
import { gate, type RuleContext, type VjpRules } from './rule.ts';

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

const levelsOf: Readonly<Record<string, readonly [number, number]>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  uint16: [0, 65535],
};

/** dy where round(x / scale) + zero point is representable. */
function quantizeVjp(c: RuleContext): Value {
  const { g, node, dy } = c;
  const [low, high] = levelsOf[g.dtype(c.y)]!;
  const steps = g.emit('Round', [div(g, c.x(0), spread(c, 1))]);
  const zero = node.inputs[2] ? castLike(g, spread(c, 2), steps) : number(g, 0, steps);
  const level = add(g, steps, zero);
  return gate(g, bounded(g, level, low, high), dy);
}

export const quantization: VjpRules = {
  // Scales and zero points that are found from the data count as constants.
  QuantizeLinear: [quantizeVjp, null, null],
  DequantizeLinear: [({ dy }) => dy, null, null],
  DynamicQuantizeLinear: [({ g, x, dyOf }) => dyOf(0) ?? zerosLike(g, x(0))], // its range cuts nothing off
};
