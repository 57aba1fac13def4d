import { add, div, mul, neg, number, scale, shift, sub, where } from '../onnx/emit.ts';
import { real } from '../onnx/graph.ts';
import { type Operators, unary } from './operator.ts';
import { clipShape, mapped } from './shape/elementwise.ts';
import {
  between,
  compare,
  leaky,
  normalCumulative,
  normalDensity,
  sigmoidOf,
  spelledGelu,
  tanhGeluSlope,
} from './vjp/activation.ts';
import { partOf } from './vjp/part.ts';
import { gate, times } from './vjp/rule.ts';

// Activations. At a kink the derivative is PyTorch's: 0 for ReLU at 0 and for a clip at its bounds (ReLU6). Gates are
// read off the output where they can be, so that a fused Conv+Relu stays fused.

export const activation = {
  Sigmoid: unary({ vjp: [times(({ g, y }) => mul(g, y, sub(g, number(g, 1, y), y)))] }),
  Softplus: unary({ vjp: [times(({ g, x }) => sigmoidOf(g, x(0)))] }),
  Softsign: unary({
    vjp: [
      times((c) => {
        const { g, x } = c;
        const r = partOf(c, 'divisor') ?? shift(g, g.emit('Abs', [x(0)]), 1);
        return g.emit('Reciprocal', [mul(g, r, r)]);
      }),
    ],
  }),
  Erf: unary({
    vjp: [
      ({ g, x, dy }) => div(g, scale(g, dy, 2 / Math.sqrt(Math.PI)), g.emit('Exp', [mul(g, x(0), x(0))])), // 2/√π · exp(-x²)
    ],
  }),
  Relu: unary({
    shape: mapped((v) => Math.max(v, 0)),
    vjp: [({ g, y, dy }) => gate(g, compare(g, 'Greater', y, 0), dy)],
  }),
  LeakyRelu: unary({ vjp: [(c) => leaky(c, number(c.g, real(c.node, 'alpha', 0.01), c.dy))] }),
  PRelu: unary({
    vjp: [
      (c) => leaky(c, c.x(1)),
      ({ g, x, dy }) => where(g, compare(g, 'Greater', x(0), 0), number(g, 0, dy), mul(g, dy, x(0))),
    ],
  }),
  // x + bias below -lambd, x - bias above lambd, 0 between
  Shrink: unary({
    vjp: [
      ({ g, node, x, dy }) =>
        gate(g, compare(g, 'Greater', g.emit('Abs', [x(0)]), real(node, 'lambd', 0.5)), dy),
    ],
  }),
  ThresholdedRelu: unary({
    vjp: [({ g, node, x, dy }) => gate(g, compare(g, 'Greater', x(0), real(node, 'alpha', 1)), dy)],
  }),
  Elu: unary({
    vjp: [
      (
        { g, node, x, y, dy }, // alpha·eˣ = y + alpha below zero
      ) => where(g, compare(g, 'Greater', x(0), 0), dy, mul(g, dy, shift(g, y, real(node, 'alpha', 1)))),
    ],
  }),
  Celu: unary({
    vjp: [
      ({ g, node, x, dy }) =>
        where(
          g,
          compare(g, 'Greater', x(0), 0),
          dy,
          mul(g, dy, g.emit('Exp', [scale(g, x(0), 1 / real(node, 'alpha', 1))])),
        ),
    ],
  }),
  Selu: unary({
    vjp: [
      ({ g, node, x, y, dy }) => {
        const [alpha, gamma] = [real(node, 'alpha', 1.6732632), real(node, 'gamma', 1.050701)];
        return where(
          g,
          compare(g, 'Greater', x(0), 0),
          scale(g, dy, gamma),
          mul(g, dy, shift(g, y, alpha * gamma)),
        );
      },
    ],
  }),
  HardSigmoid: unary({
    vjp: [({ g, node, y, dy }) => gate(g, between(g, y, 0, 1)!, scale(g, dy, real(node, 'alpha', 0.2)))],
  }),
  HardSwish: unary({
    vjp: [
      ({ g, x, dy }) => {
        // 0 up to -3, x/3 + 1/2 below 3, 1 from there
        const middle = where(
          g,
          compare(g, 'Less', x(0), 3),
          shift(g, scale(g, x(0), 1 / 3), 0.5),
          number(g, 1, dy),
        );
        return gate(g, compare(g, 'Greater', x(0), -3), mul(g, dy, middle));
      },
    ],
  }),
  Mish: unary({
    vjp: [
      times((c) => {
        const { g, x } = c;
        // tanh(s) + x·(1 - tanh²(s))·sigmoid(x), s = softplus(x)
        const t = partOf(c, 'tanh') ?? g.emit('Tanh', [g.emit('Softplus', [x(0)])]);
        const inner = mul(g, sub(g, number(g, 1, t), mul(g, t, t)), sigmoidOf(g, x(0)));
        return add(g, t, mul(g, x(0), inner));
      }),
    ],
  }),
  Swish: unary({
    since: 24,
    vjp: [
      times((c) => {
        // s + a·y·(1 - s), s = sigmoid(a·x)
        const { g, node, x, y } = c;
        const alpha = real(node, 'alpha', 1);
        const s = partOf(c, 'gate') ?? sigmoidOf(g, scale(g, x(0), alpha));
        return add(g, s, mul(g, scale(g, y, alpha), sub(g, number(g, 1, s), s)));
      }),
    ],
  }),
  LogSigmoid: unary({
    since: null,
    vjp: [
      times((c) => {
        // 1 - sigmoid(x) = sigmoid(-x)
        const { g, x } = c;
        const s = partOf(c, 'sigmoid');
        return s === undefined ? sigmoidOf(g, neg(g, x(0))) : sub(g, number(g, 1, s), s);
      }),
    ],
  }),
  Gelu: unary({
    since: 20,
    vjp: [
      (c) => {
        const { g, node, x, dy } = c;
        if (node.attributes.approximate === 'tanh')
          return mul(g, dy, tanhGeluSlope(g, x(0), partOf(c, 'tanh')));
        return (
          spelledGelu(c) ??
          mul(g, dy, add(g, normalCumulative(g, x(0)), mul(g, x(0), normalDensity(g, x(0)))))
        );
      },
    ],
  }),
  Clip: unary({
    shape: clipShape,
    vjp: [
      (c) => {
        const bound = (i: number) => (c.node.inputs[i] ? c.x(i) : null);
        const inside = between(c.g, c.y, bound(1), bound(2));
        return inside ? gate(c.g, inside, c.dy) : c.dy;
      },
    ],
  }),
} satisfies Operators;
