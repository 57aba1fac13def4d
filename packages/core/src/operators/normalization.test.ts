import { float } from '../onnx/graph.ts';
import { positiveWeight, weight, x } from '../testing/cases.ts';
import { describeRules, rule, single } from '../testing/rule-cases.ts';
import { normalization } from './normalization.ts';

const statistics = (channels: number) => [
  weight(channels),
  weight(channels),
  weight(channels),
  positiveWeight(channels),
];

describeRules(
  'normalization',
  normalization,
  [
    rule('Softmax', 'last axis', [x(-1, 4)]),
    rule('Softmax', 'axis 1 of four', [x(-1, 3, 2, 2)], { axis: 1 }),
    rule('Softmax', 'axis from the end', [x(-1, 3, 2)], { axis: -2 }),
    rule('LogSoftmax', 'last axis', [x(-1, 4)]),
    rule('LogSoftmax', 'axis 1', [x(-1, 4, 2)], { axis: 1 }),
    rule('BatchNormalization', 'four axes', [x(-1, 3, 2, 2), ...statistics(3)]),
    rule('BatchNormalization', 'two axes, epsilon 0.1', [x(-1, 3), ...statistics(3)], {
      epsilon: float(0.1),
    }),
    rule('LayerNormalization', 'last axis', [x(-1, 2, 4), x(4), x(4)]),
    rule('LayerNormalization', 'two axes, epsilon 0.1, no bias', [x(-1, 2, 3), x(2, 3)], {
      axis: 1,
      epsilon: float(0.1),
    }),
    rule('LayerNormalization', 'by its own statistics', [x(-1, 2, 4), x(4), x(4)], {}, single),
    ...[[1], [2], [1, 2], [0, 1, 2]].map((used) =>
      rule(
        'LayerNormalization',
        `of outputs ${used}`,
        [x(-1, 2, 4), x(4), x(4)],
        {},
        { ...single, outputs: 3, used },
      ),
    ),
    rule(
      'LayerNormalization',
      'by its own statistics over two axes',
      [x(-1, 2, 3), x(2, 3)],
      { axis: -2, epsilon: float(0.1) },
      single,
    ),
    rule('RMSNormalization', 'last axis', [x(-1, 2, 4), x(4)], {}, { opset: 23 }),
    rule(
      'RMSNormalization',
      'two axes, epsilon 0.1',
      [x(-1, 2, 3), weight(2, 3)],
      { axis: 1, epsilon: float(0.1) },
      { opset: 23 },
    ),
    rule('InstanceNormalization', 'plain', [x(-1, 2, 3, 2), weight(2), weight(2)], {}, single),
    rule(
      'InstanceNormalization',
      'one spatial axis, epsilon 0.1',
      [x(-1, 2, 5), weight(2), weight(2)],
      { epsilon: float(0.1) },
      single,
    ),
    rule(
      'GroupNormalization',
      'two groups',
      [x(-1, 4, 2, 2), weight(4), weight(4)],
      { num_groups: 2 },
      { opset: 21, ...single },
    ),
    rule(
      'GroupNormalization',
      'one group, epsilon 0.1',
      [x(-1, 3, 2, 2), weight(3), weight(3)],
      { num_groups: 1, epsilon: float(0.1) },
      { opset: 21, ...single },
    ),
    rule(
      'LRN',
      'odd window',
      [x(-1, 6, 2, 2)],
      { size: 5, alpha: float(0.9), beta: float(0.75), bias: float(1.2) },
      single,
    ),
    rule('LRN', 'defaults', [x(-1, 4, 1, 2)], { size: 3 }, single),
  ],
  [
    rule('Hardmax', 'axis 1', [x(-1, 4, 2)], { axis: 1 }, single),
    rule('LpNormalization', 'axis 1', [x(-1, 4, 2)], { axis: 1 }, single),
    rule('MeanVarianceNormalization', 'of maps', [x(-1, 3, 2, 2)], {}, single),
  ],
);
