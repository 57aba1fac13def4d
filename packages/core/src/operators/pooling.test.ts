import { within, x } from '../testing/cases.ts';
import { describeRules, rule, single } from '../testing/rule-cases.ts';
import { pooling } from './pooling.ts';

type Attributes = Parameters<typeof rule>[3];
const max = (title: string, shape: number[], attributes: Attributes) =>
  rule('MaxPool', title, [x(...shape)], attributes);
const average = (title: string, shape: number[], attributes: Attributes) =>
  rule('AveragePool', title, [x(...shape)], attributes, single);

describeRules(
  'pooling',
  pooling,
  [
    max('side by side', [-1, 2, 4, 4], { kernel_shape: [2, 2], strides: [2, 2] }),
    max('overlapping', [-1, 2, 5, 5], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }),
    max('default stride 1', [-1, 1, 4, 4], { kernel_shape: [2, 2] }),
    max('dilated windows overlap though the kernel is as long as the stride', [-1, 1, 7, 7], {
      kernel_shape: [2, 2],
      strides: [2, 2],
      dilations: [2, 2],
    }),
    max('ceil_mode', [-1, 2, 5, 6], { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }),
    max('ceil_mode whose last window starts in the padding', [-1, 1, 4, 4], {
      kernel_shape: [2, 2],
      strides: [2, 2],
      pads: [1, 1, 1, 1],
      ceil_mode: 1,
    }),
    max('asymmetric padding', [-1, 2, 4, 4], { kernel_shape: [3, 2], strides: [1, 2], pads: [2, 0, 0, 1] }),
    max('auto_pad SAME_UPPER', [-1, 2, 5, 5], {
      kernel_shape: [3, 3],
      strides: [2, 2],
      auto_pad: 'SAME_UPPER',
    }),
    max('auto_pad SAME_LOWER', [-1, 2, 5, 5], {
      kernel_shape: [2, 2],
      strides: [2, 2],
      auto_pad: 'SAME_LOWER',
    }),
    max('one spatial axis', [-1, 2, 7], { kernel_shape: [3], strides: [2] }),
    max('three spatial axes', [-1, 1, 4, 3, 3], { kernel_shape: [2, 2, 2] }),
    average('side by side', [-1, 2, 4, 4], { kernel_shape: [2, 2], strides: [2, 2] }),
    average('overlapping, padding left out', [-1, 2, 5, 5], {
      kernel_shape: [3, 3],
      strides: [2, 2],
      pads: [1, 1, 1, 1],
    }),
    average('overlapping, padding counted', [-1, 2, 5, 5], {
      kernel_shape: [3, 3],
      strides: [2, 2],
      pads: [1, 1, 1, 1],
      count_include_pad: 1,
    }),
    average('a rest that no window covers', [-1, 2, 6, 5], { kernel_shape: [2, 2], strides: [3, 2] }),
    average('ceil_mode', [-1, 2, 5, 6], { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }),
    average('ceil_mode, padded', [-1, 2, 6, 6], {
      kernel_shape: [3, 3],
      strides: [2, 2],
      pads: [1, 1, 1, 1],
      ceil_mode: 1,
    }),
    average('ceil_mode, padding counted', [-1, 2, 6, 6], {
      kernel_shape: [3, 3],
      strides: [2, 2],
      pads: [1, 1, 1, 1],
      ceil_mode: 1,
      count_include_pad: 1,
    }),
    average('asymmetric padding', [-1, 2, 4, 4], {
      kernel_shape: [3, 2],
      strides: [1, 2],
      pads: [2, 0, 0, 1],
    }),
    average('auto_pad SAME_UPPER', [-1, 2, 5, 5], {
      kernel_shape: [3, 3],
      strides: [2, 2],
      auto_pad: 'SAME_UPPER',
    }),
    average('one spatial axis', [-1, 2, 7], { kernel_shape: [3], strides: [2] }),
    rule(
      'AveragePool',
      'dilated',
      [x(-1, 1, 6, 6)],
      { kernel_shape: [2, 2], dilations: [2, 3] },
      { ...single, opset: 19 },
    ),
    rule('GlobalAveragePool', 'plain', [x(-1, 3, 2, 4)], {}, single),
    rule('GlobalMaxPool', 'plain', [x(-1, 3, 2, 4)], {}, single),
  ],
  [
    rule('MaxPool', 'of negatives, padded', [within(-2, -1, -1, 2, 4, 4)], {
      kernel_shape: [3, 3],
      pads: [1, 1, 1, 1],
    }),
    rule('LpPool', 'padded', [x(-1, 2, 4, 4)], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }, single),
    rule('LpPool', 'side by side', [x(-1, 2, 4, 4)], { kernel_shape: [2, 2], strides: [2, 2] }, single),
    rule('GlobalLpPool', 'plain', [x(-1, 3, 2, 4)], {}, single),
  ],
);
