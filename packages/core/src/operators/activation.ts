import { real } from '../onnx/graph.ts';
import { type Operators, unary } from './operator.ts';
import { clipShape, mapped } from './shape/elementwise.ts';
import {
  between,
  normalCumulative,
  normalDensity,
  slopes,
  spelledGelu,
  tanhGeluSlope,
} from './vjp/activation.ts';
import { partOf } from './vjp/part.ts';
import { given, type RuleContext, times } from './vjp/rule.ts';

// Activations. At a kink the derivative is PyTorch's: 0 for ReLU at 0 and for a clip at its bounds (ReLU6). Gates are
// computed from the output if possible, so that a fused Conv+Relu stays fused.

const one = () => 1;
const gammaOf = ({ node }: RuleContext) => real(node, 'gamma', 1.050701);

export const activation = {
  Sigmoid: unary({ vjp: [times((_, y) => y.mul(y.oneMinus()))] }),
  Softplus: unary({ vjp: [times((x) => x.sigmoid())] }),
  Softsign: unary({
    vjp: [times((x, _, c) => (partOf(c, 'divisor') ?? x.abs().add(1)).square().reciprocal())],
  }),
  // 2/√π · exp(-x²)
  Erf: unary({ vjp: [({ x, dy }) => dy.mul(2 / Math.sqrt(Math.PI)).div(x(0).square().exp())] }),
  Relu: unary({ shape: mapped((v) => Math.max(v, 0)), vjp: [({ y, dy }) => dy.gate(y.isGreater(0))] }),
  LeakyRelu: unary({ vjp: [slopes(one, (_, c) => real(c.node, 'alpha', 0.01))] }),
  PRelu: unary({
    vjp: [
      slopes(one, (_, c) => c.x(1)),
      (c) => {
        const x = c.x(0);
        return x.isGreater(0).where(0, c.dy.mul(x));
      },
    ],
  }),
  // x + bias below -lambd, x - bias above lambd, 0 between
  Shrink: unary({
    vjp: [
      ({ node, x, dy }) => {
        const lambd = real(node, 'lambd', 0.5);
        return dy.gate(x(0).abs().isGreater(lambd));
      },
    ],
  }),
  ThresholdedRelu: unary({ vjp: [({ node, x, dy }) => dy.gate(x(0).isGreater(real(node, 'alpha', 1)))] }),
  // alpha·eˣ = y + alpha below zero
  Elu: unary({ vjp: [slopes(one, (_, c) => c.y.add(real(c.node, 'alpha', 1)))] }),
  Celu: unary({
    vjp: [slopes(one, (x, { node }) => x.mul(1 / real(node, 'alpha', 1)).exp())],
  }),
  // gamma·alpha·eˣ = y + gamma·alpha below zero
  Selu: unary({
    vjp: [slopes(gammaOf, (_, c) => c.y.add(real(c.node, 'alpha', 1.6732632) * gammaOf(c)))],
  }),
  HardSigmoid: unary({
    vjp: [({ node, y, dy }) => dy.mul(real(node, 'alpha', 0.2)).gate(y.isGreater(0).and(y.isLess(1)))],
  }),
  // 0 up to -3, x/3 + 1/2 between, 1 from 3 on
  HardSwish: unary({
    vjp: [
      (c) => {
        const x = c.x(0);
        const slope = x.isLess(3).where(x.mul(1 / 3).add(0.5), 1);
        return c.dy.mul(slope).gate(x.isGreater(-3));
      },
    ],
  }),
  // tanh(s) + x·(1 - tanh²(s))·sigmoid(x), s = softplus(x)
  Mish: unary({
    vjp: [
      times((x, _, c) => {
        const t = partOf(c, 'tanh') ?? x.emit('Softplus').tanh();
        return t.add(x.mul(t.square().oneMinus().mul(x.sigmoid())));
      }),
    ],
  }),
  // s + a·y·(1 - s), s = sigmoid(a·x)
  Swish: unary({
    since: 24,
    vjp: [
      times((x, y, c) => {
        const alpha = real(c.node, 'alpha', 1);
        const s = partOf(c, 'gate') ?? x.mul(alpha).sigmoid();
        return s.add(y.mul(alpha).mul(s.oneMinus()));
      }),
    ],
  }),
  // 1 - sigmoid(x) = sigmoid(-x)
  LogSigmoid: unary({
    since: null,
    vjp: [
      times((x, _, c) => {
        const s = partOf(c, 'sigmoid');
        return s?.oneMinus() ?? x.neg().sigmoid();
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
