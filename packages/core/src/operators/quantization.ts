import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { add, castLike, div, number, reshape, zerosLike } from '../onnx/emit.ts';
import { type Constants, int, type Node } from '../onnx/graph.ts';
import { type Operators, other, unary } from './operator.ts';
import { axisOf } from './shape/rule.ts';
import { gate, type RuleContext } from './vjp/rule.ts';

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

/** Levels of 8 bits, one scale for a tensor or for each index of an axis. */
function sinceOfLevels({ inputs, attributes }: Node, constants: Constants): number | null {
  const zero = constants.get(inputs[2] ?? '')?.dtype;
  const newer = ['saturate', 'block_size', 'output_dtype', 'precision'].some((name) =>
    Object.hasOwn(attributes, name),
  );
  return (zero === 'int8' || zero === 'uint8') && !newer ? 18 : null;
}

export const quantization = {
  // Scales and zero points that are found from the data count as constants.
  QuantizeLinear: unary({
    since: sinceOfLevels,
    rows: null,
    shape: (c) => [{ shape: c.x(0).shape, dtype: c.has(2) ? c.x(2).dtype : 'uint8' }],
    vjp: [quantizeVjp, null, null],
  }),
  DequantizeLinear: unary({
    since: sinceOfLevels,
    linear: 'jointly',
    rows: null,
    shape: (c) => [{ shape: c.x(0).shape, dtype: c.x(1).dtype }],
    vjp: [({ dy }) => dy, null, null],
  }),
  DynamicQuantizeLinear: other({
    since: 18,
    data: 1,
    normalises: true, // the range is that of all elements
    shape: (c) => [
      { dtype: 'uint8', shape: c.x(0).shape },
      { dtype: 'float32', shape: [] },
      { dtype: 'uint8', shape: [] },
    ],
    vjp: [({ g, x, dyOf }) => dyOf(0) ?? zerosLike(g, x(0))], // its range cuts nothing off
  }),
  ConvInteger: other(),
  QLinearConv: other(),
  QLinearMatMul: other(),
} satisfies Operators;
