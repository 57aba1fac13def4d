import { ints, weight, x } from '../testing/cases.ts';
import { describeRules, rule, single } from '../testing/rule-cases.ts';
import { convolution } from './convolution.ts';

const conv = (
  title: string,
  inputs: Parameters<typeof rule>[2],
  attributes: Parameters<typeof rule>[3] = {},
) => rule('Conv', title, inputs, attributes, single);
const transposed = (
  title: string,
  inputs: Parameters<typeof rule>[2],
  attributes: Parameters<typeof rule>[3] = {},
) => rule('ConvTranspose', title, inputs, attributes, single);

const folds = { ...single, opset: 18 };

describeRules('convolution', convolution, [
  conv('plain, with a bias', [x(-1, 2, 4, 4), weight(3, 2, 3, 3), x(3)]),
  conv('1x1', [x(-1, 2, 3, 3), weight(3, 2, 1, 1)]),
  conv('padded', [x(-1, 2, 4, 4), weight(3, 2, 3, 3)], { pads: [1, 1, 1, 1] }),
  conv('asymmetric padding', [x(-1, 2, 4, 4), weight(3, 2, 3, 3)], { pads: [0, 1, 2, 0] }),
  conv('padded beyond the kernel', [x(-1, 2, 3, 3), weight(3, 2, 2, 2)], { pads: [2, 2, 2, 3] }),
  conv('an oblong kernel', [x(-1, 2, 4, 5), weight(3, 2, 1, 4)]),
  conv('stride 2', [x(-1, 2, 5, 5), weight(3, 2, 3, 3)], { strides: [2, 2] }),
  conv('stride 2 that leaves a rest', [x(-1, 2, 6, 5), weight(3, 2, 3, 3)], {
    strides: [2, 2],
    pads: [0, 0, 0, 1],
  }),
  conv('stride larger than the kernel', [x(-1, 2, 6, 6), weight(3, 2, 2, 2)], { strides: [4, 3] }),
  conv('1x1, stride 2', [x(-1, 2, 5, 6), weight(3, 2, 1, 1)], { strides: [2, 2] }),
  conv('an image under a large kernel', [x(-1, 3, 8, 8), weight(2, 3, 7, 7)], {
    strides: [2, 2],
    pads: [3, 3, 3, 3],
  }),
  conv('an image under a large kernel that leaves a rest', [x(-1, 1, 17, 14), weight(2, 1, 7, 8)], {
    strides: [3, 3],
    pads: [1, 0, 2, 1],
  }),
  conv('an image padded beyond a large kernel', [x(-1, 1, 5, 5), weight(2, 1, 5, 5)], {
    strides: [2, 2],
    pads: [7, 0, 0, 7],
  }),
  conv('strides that differ', [x(-1, 2, 5, 6), weight(3, 2, 3, 3)], { strides: [1, 3], pads: [1, 1, 1, 1] }),
  conv('dilated', [x(-1, 2, 6, 6), weight(3, 2, 3, 3)], { dilations: [2, 2], pads: [2, 2, 2, 2] }),
  conv('dilated with stride', [x(-1, 1, 8, 7), weight(2, 1, 3, 2)], {
    dilations: [2, 3],
    strides: [2, 2],
    pads: [1, 0, 1, 1],
  }),
  conv('two groups', [x(-1, 4, 4, 4), weight(6, 2, 3, 3)], { group: 2, pads: [1, 1, 1, 1] }),
  conv('two groups with stride', [x(-1, 4, 5, 5), weight(6, 2, 3, 3)], { group: 2, strides: [2, 2] }),
  conv('depthwise', [x(-1, 3, 4, 4), weight(3, 1, 3, 3)], { group: 3, pads: [1, 1, 1, 1] }),
  conv('depthwise, two filters each', [x(-1, 3, 4, 4), weight(6, 1, 3, 3)], { group: 3 }),
  conv('depthwise with stride', [x(-1, 3, 5, 5), weight(3, 1, 3, 3)], {
    group: 3,
    strides: [2, 2],
    pads: [1, 1, 1, 1],
  }),
  conv('auto_pad SAME_UPPER', [x(-1, 2, 5, 6), weight(3, 2, 3, 3)], {
    auto_pad: 'SAME_UPPER',
    strides: [2, 2],
  }),
  conv('auto_pad SAME_LOWER', [x(-1, 2, 5, 6), weight(3, 2, 2, 2)], { auto_pad: 'SAME_LOWER' }),
  conv('auto_pad VALID', [x(-1, 2, 5, 6), weight(3, 2, 2, 2)], { auto_pad: 'VALID' }),
  conv('one spatial axis', [x(-1, 2, 7), weight(3, 2, 3)], { strides: [2], pads: [1, 1] }),
  conv('three spatial axes', [x(-1, 1, 3, 3, 3), weight(2, 1, 2, 2, 2)], { pads: [1, 0, 0, 0, 0, 1] }),
  transposed('plain, with a bias', [x(-1, 2, 3, 3), weight(2, 3, 3, 3), x(3)]),
  transposed('stride 2 with output padding', [x(-1, 2, 3, 3), weight(2, 3, 3, 3)], {
    strides: [2, 2],
    pads: [1, 1, 1, 1],
    output_padding: [1, 0],
  }),
  transposed('two groups', [x(-1, 4, 3, 3), weight(4, 2, 2, 2)], { group: 2, strides: [2, 2] }),
  transposed('dilated', [x(-1, 2, 3, 3), weight(2, 3, 2, 2)], { dilations: [2, 2] }),
  transposed('auto_pad SAME_UPPER', [x(-1, 2, 3, 3), weight(2, 3, 3, 3)], {
    auto_pad: 'SAME_UPPER',
    strides: [2, 2],
  }),
  transposed('output_shape', [x(-1, 2, 3, 3), weight(2, 3, 3, 3)], { output_shape: [6, 5], strides: [2, 2] }),
  rule('Col2Im', 'blocks side by side', [x(-1, 12, 6), ints(4, 6), ints(2, 2)], { strides: [2, 2] }, folds),
  rule('Col2Im', 'blocks that overlap', [x(-1, 12, 9), ints(4, 5), ints(2, 3)], {}, folds),
  rule(
    'Col2Im',
    'padded, with gaps',
    [x(-1, 8, 12), ints(5, 6), ints(2, 2)],
    { pads: [1, 0, 0, 1], strides: [1, 2], dilations: [2, 2] },
    folds,
  ),
]);
