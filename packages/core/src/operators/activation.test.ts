import { float } from '../onnx/graph.ts';
import { at, real, within, x } from '../testing/cases.ts';
import { describeRules, rule, single } from '../testing/rule-cases.ts';
import { activation } from './activation.ts';

const wide = (...shape: number[]) => within(-4.2, 4.2, ...shape);

describeRules('activation', activation, [
  rule('Sigmoid', 'plain', [wide(-1, 5)]),
  rule('Softplus', 'plain', [wide(-1, 5)], {}, single),
  rule('Softsign', 'both signs', [x(-1, 4)], {}, single),
  rule('Erf', 'plain', [wide(-1, 5)], {}, single),
  rule('Relu', 'both signs', [x(-1, 4)]),
  rule('LeakyRelu', 'default slope', [x(-1, 4)], {}, single),
  rule('LeakyRelu', 'slope 1/4', [x(-1, 4)], { alpha: float(0.25) }),
  rule('PRelu', 'one slope', [x(-1, 4), x(1)], {}, single),
  rule('PRelu', 'a slope per channel', [x(-1, 3, 2), x(3, 1)], {}, single),
  rule(
    'Shrink',
    'soft',
    [at(-1.4, -0.3, 0.2, 1.2, 0.95, -0.9)],
    { lambd: float(0.77), bias: float(0.77) },
    single,
  ),
  rule('Shrink', 'hard, default', [at(-1.4, -0.3, 0.2, 1.2)], {}, single),
  rule('ThresholdedRelu', 'at 0.77', [x(-1, 6)], { alpha: float(0.77) }, single),
  rule('Elu', 'default', [x(-1, 4)], {}, single),
  rule('Elu', 'alpha 0.6', [x(-1, 4)], { alpha: float(0.6) }, single),
  rule('Celu', 'alpha 0.6', [x(-1, 4)], { alpha: float(0.6) }, single),
  rule('Selu', 'default', [x(-1, 4)], {}, single),
  rule('Selu', 'alpha 0.6, gamma 1.3', [x(-1, 4)], { alpha: float(0.6), gamma: float(1.3) }, single),
  rule('HardSigmoid', 'default', [wide(-1, 7)], {}, single),
  rule('HardSigmoid', 'slope 1/6', [wide(-1, 7)], { alpha: float(1 / 6), beta: float(0.5) }, single),
  rule('HardSwish', 'all three pieces', [wide(-1, 7)], {}, single),
  rule('Mish', 'plain', [wide(-1, 5)], {}, { opset: 18 }),
  rule('Gelu', 'exact', [wide(-1, 5)], {}, { ...single, opset: 20 }),
  rule('Gelu', 'tanh', [wide(-1, 5)], { approximate: 'tanh' }, { opset: 20 }),
  rule('Swish', 'default', [wide(-1, 5)], {}, { opset: 24 }),
  rule('Swish', 'alpha 1.4', [wide(-1, 5)], { alpha: float(1.4) }, { opset: 24 }),
  rule('Clip', 'both bounds', [x(-1, 6), real(-0.7), real(0.9)]),
  rule('Clip', 'from below', [x(-1, 6), real(-0.7)]),
  rule('Clip', 'from above', [x(-1, 6), '', real(0.9)]),
  rule('Clip', 'no bound', [x(-1, 6)]),
]);
