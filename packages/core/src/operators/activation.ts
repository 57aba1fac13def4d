import { real } from '../onnx/graph.ts';
import { type Operators, unary } from './operator.ts';
import { clipShape, mapped } from './shape/elementwise.ts';
import {
  between,
  leaky,
  normalCumulative,
  normalDensity,
  spelledGelu,
  tanhGeluSlope,
} from './vjp/activation.ts';
import { partOf } from './vjp/part.ts';
import { given, times } from './vjp/rule.ts';

// Activations. At a kink the derivative is PyTorch's: 0 for ReLU at 0 and for a clip at its bounds (ReLU6). Gates are
// read off the output where they can be, so that a fused Conv+Relu stays fused.

export const activation = {
  Sigmoid: unary({ vjp: [times(({ y }) => y.mul(y.number(1).sub(y)))] }),
  Softplus: unary({ vjp: [times(({ x }) => x(0).sigmoid())] }),
  Softsign: unary({
    vjp: [times((c) => (partOf(c, 'divisor') ?? c.x(0).abs().add(1)).square().reciprocal())],
  }),
  // 2/√π · exp(-x²)
  Erf: unary({ vjp: [({ x, dy }) => dy.mul(2 / Math.sqrt(Math.PI)).div(x(0).square().exp())] }),
  Relu: unary({
    shape: mapped((v) => Math.max(v, 0)),
    vjp: [({ y, dy }) => dy.gate(y.isGreater(0))],
  }),
  LeakyRelu: unary({ vjp: [(c) => leaky(c, real(c.node, 'alpha', 0.01))] }),
  PRelu: unary({
    vjp: [
      (c) => leaky(c, c.x(1)),
      ({ x, dy }) =>
        x(0)
          .isGreater(0)
          .where(0, dy.mul(x(0))),
    ],
  }),
  // x + bias below -lambd, x - bias above lambd, 0 between
  Shrink: unary({
    vjp: [
      ({ node, x, dy }) =>
        dy.gate(
          x(0)
            .abs()
            .isGreater(real(node, 'lambd', 0.5)),
        ),
    ],
  }),
  ThresholdedRelu: unary({
    vjp: [({ node, x, dy }) => dy.gate(x(0).isGreater(real(node, 'alpha', 1)))],
  }),
  // alpha·eˣ = y + alpha below zero
  Elu: unary({
    vjp: [
      ({ node, x, y, dy }) =>
        x(0)
          .isGreater(0)
          .where(dy, dy.mul(y.add(real(node, 'alpha', 1)))),
    ],
  }),
  Celu: unary({
    vjp: [
      ({ node, x, dy }) =>
        x(0)
          .isGreater(0)
          .where(
            dy,
            dy.mul(
              x(0)
                .mul(1 / real(node, 'alpha', 1))
                .exp(),
            ),
          ),
    ],
  }),
  Selu: unary({
    vjp: [
      ({ node, x, y, dy }) => {
        const [alpha, gamma] = [real(node, 'alpha', 1.6732632), real(node, 'gamma', 1.050701)];
        return x(0)
          .isGreater(0)
          .where(dy.mul(gamma), dy.mul(y.add(alpha * gamma)));
      },
    ],
  }),
  HardSigmoid: unary({
    vjp: [({ node, y, dy }) => dy.mul(real(node, 'alpha', 0.2)).gate(between(y, 0, 1)!)],
  }),
  HardSwish: unary({
    vjp: [
      ({ x, dy }) => {
        // 0 up to -3, x/3 + 1/2 below 3, 1 from there
        const slope = x(0)
          .isLess(3)
          .where(
            x(0)
              .mul(1 / 3)
              .add(0.5),
            1,
          );
        return dy.mul(slope).gate(x(0).isGreater(-3));
      },
    ],
  }),
  Mish: unary({
    vjp: [
      times((c) => {
        // tanh(s) + x·(1 - tanh²(s))·sigmoid(x), s = softplus(x)
        const x = c.x(0);
        const t = partOf(c, 'tanh') ?? x.emit('Softplus').tanh();
        return t.add(x.mul(t.number(1).sub(t.square()).mul(x.sigmoid())));
      }),
    ],
  }),
  Swish: unary({
    since: 24,
    vjp: [
      times((c) => {
        // s + a·y·(1 - s), s = sigmoid(a·x)
        const alpha = real(c.node, 'alpha', 1);
        const s = partOf(c, 'gate') ?? c.x(0).mul(alpha).sigmoid();
        return s.add(c.y.mul(alpha).mul(s.number(1).sub(s)));
      }),
    ],
  }),
  LogSigmoid: unary({
    since: null,
    vjp: [
      times((c) => {
        // 1 - sigmoid(x) = sigmoid(-x)
        const s = partOf(c, 'sigmoid');
        return s === undefined ? c.x(0).neg().sigmoid() : s.number(1).sub(s);
      }),
    ],
  }),
  Gelu: unary({
    since: 20,
    vjp: [
      (c) => {
        const [x, dy] = [c.x(0), c.dy];
        if (c.node.attributes.approximate === 'tanh') return dy.mul(tanhGeluSlope(x, partOf(c, 'tanh')));
        return spelledGelu(c) ?? dy.mul(normalCumulative(x).add(x.mul(normalDensity(x))));
      },
    ],
  }),
  Clip: unary({
    shape: clipShape,
    vjp: [
      (c) => {
        const inside = between(c.y, given(c, 1), given(c, 2));
        return inside ? c.dy.gate(inside) : c.dy;
      },
    ],
  }),
} satisfies Operators;
