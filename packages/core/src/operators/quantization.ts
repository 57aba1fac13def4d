import type { Expression } from '../onnx/expression.ts';
import { type Constants, int, type Node } from '../onnx/graph.ts';
import { type Operators, other, unary } from './operator.ts';
import { axisOf } from './shape/rule.ts';
import { given, type RuleContext, type Vjp } from './vjp/rule.ts';

// Quantized models, straight through: rounding counts as the identity, and clipped values have derivative 0, as in
// PyTorch's fake quantization. A quantized value has the cotangent of the real number that it stands for.

/** Reshapes a scale or zero point, a number or a number per channel, to broadcast over x. */
function spread(c: RuleContext, parameter: Expression): Expression {
  const x = c.x(0).shape;
  const [count, ...others] = parameter.shape;
  if (count === undefined || count === 1 || others.length > 0) return parameter;
  const axis = axisOf(int(c.node, 'axis', 1), x.length);
  return parameter.reshape(x.map((_, k) => (k === axis ? count : 1)));
}

const levelsOf: Readonly<Record<string, readonly [number, number]>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  uint16: [0, 65535],
};

/** Keeps dy where round(x / scale) + zero point is representable. */
const quantizeVjp: Vjp = (c) => {
  const [low, high] = levelsOf[c.y.dtype]!;
  const steps = c
    .x(0)
    .div(spread(c, c.x(1)))
    .emit('Round');
  const zero = given(c, 2);
  const level = steps.add(zero ? spread(c, zero).castAs(steps) : 0);
  return c.dy.gate(level.isAtLeast(low).and(level.isAtMost(high)));
};

/** Gives opset 18 for 8-bit levels with one scale for a tensor or for each index of an axis. */
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
    vjp: [({ x, dyOf }) => dyOf(0) ?? x(0).zerosLike()], // its range cuts nothing off
  }),
  ConvInteger: other(),
  QLinearConv: other(),
  QLinearMatMul: other(),
} satisfies Operators;
