import { describe, expect, it } from 'vitest';
import { canonical } from '../../testing/canonical.ts';
import {
  absent,
  bothWays,
  type Case,
  fileOf,
  given,
  level,
  levels,
  mask,
  quantized,
  run,
  scalar,
  weight,
} from '../../testing/one-operator.ts';

const f = (f: number) => ({ f });
const image = given(3, 6, 5);
const filters = weight([4, 3, 3, 3]);
const tokens = given(5, 8);
const fused = (
  name: string,
  activation: string,
  parameters: number[] = [],
  more: Partial<Case> = {},
): [string, Case] => [
  `FusedConv ${name}`,
  {
    op: 'FusedConv',
    operands: [image, filters, weight([4])],
    attributes: {
      ...(activation && { activation }),
      ...(parameters.length > 0 && { activation_params: { floats: parameters } }),
      kernel_shape: [3, 3],
      ...more.attributes,
    },
    ...(more.operands && { operands: more.operands }),
  },
];

const real: [string, Case][] = [
  ['Gelu', { op: 'Gelu', operands: [tokens] }],
  ['BiasGelu', { op: 'BiasGelu', operands: [tokens, weight([8])] }],
  ['FastGelu', { op: 'FastGelu', operands: [tokens] }],
  ['FastGelu with a bias', { op: 'FastGelu', operands: [tokens, weight([8])] }],
  ['QuickGelu', { op: 'QuickGelu', operands: [tokens] }],
  ['QuickGelu with a factor', { op: 'QuickGelu', operands: [tokens], attributes: { alpha: f(1) } }],
  fused('alone', '', [], { attributes: {} }),
  fused('Relu', 'Relu'),
  fused('LeakyRelu', 'LeakyRelu', [0.2]),
  fused('Clip', 'Clip', [0, 0.6]),
  fused('Sigmoid', 'Sigmoid'),
  fused('Tanh', 'Tanh'),
  fused('HardSigmoid', 'HardSigmoid', [0.25, 0.4]),
  fused('strides and padding', 'Relu', [], {
    attributes: { strides: [2, 1], pads: [1, 0, 1, 2], dilations: [1, 1] },
  }),
  fused('padding by a rule', 'Relu', [], { attributes: { auto_pad: 'SAME_UPPER', strides: [2, 2] } }),
  fused('a sum', 'Relu', [], { operands: [image, filters, weight([4]), given(4, 4, 3)] }),
  fused('a sum without bias or activation', '', [], { operands: [image, filters, absent, given(4, 4, 3)] }),
  ['FusedMatMul', { op: 'FusedMatMul', operands: [given(3, 4), given(4, 5)] }],
  [
    'FusedMatMul scaled',
    { op: 'FusedMatMul', operands: [tokens, weight([8, 3])], attributes: { alpha: f(0.125) } },
  ],
  [
    'FusedMatMul turned',
    {
      op: 'FusedMatMul',
      operands: [given(4, 3), given(5, 4)],
      attributes: { transA: 1, transB: 1, alpha: f(-2) },
    },
  ],
  [
    'FusedMatMul of rows first',
    {
      op: 'FusedMatMul',
      operands: [weight([4, 2, 3]), weight([3, 2, 5])],
      attributes: { transBatchA: 1, transBatchB: 1 },
    },
  ],
  [
    'FusedMatMul of columns first',
    {
      op: 'FusedMatMul',
      operands: [weight([3, 2, 6, 4]), weight([2, 6, 5, 3])],
      attributes: { transBatchA: 1, transA: 1, transB: 1, alpha: f(0.5) },
    },
  ],
  [
    'FusedGemm',
    {
      op: 'FusedGemm',
      operands: [given(4), weight([4, 3]), weight([3])],
      attributes: { activation: 'Relu' },
    },
  ],
  [
    'FusedGemm turned and scaled',
    {
      op: 'FusedGemm',
      operands: [given(4), weight([3, 4]), weight([3])],
      attributes: { activation: 'LeakyRelu', activation_alpha: f(0.3), transB: 1, alpha: f(0.5), beta: f(2) },
    },
  ],
  [
    'FusedGemm HardSigmoid',
    {
      op: 'FusedGemm',
      operands: [given(4), weight([4, 3])],
      attributes: { activation: 'HardSigmoid', activation_alpha: f(0.3), activation_beta: f(0.4) },
    },
  ],
  [
    'FusedGemm Elu',
    {
      op: 'FusedGemm',
      operands: [given(4), weight([4, 3])],
      attributes: { activation: 'Elu', activation_alpha: f(0.3) },
    },
  ],
  [
    'SimplifiedLayerNormalization',
    {
      op: 'SimplifiedLayerNormalization',
      domain: '',
      operands: [tokens, weight([8])],
      attributes: { epsilon: f(1e-3) },
    },
  ],
  [
    'SkipLayerNormalization',
    {
      op: 'SkipLayerNormalization',
      operands: [tokens, given(5, 8), weight([8]), weight([8])],
      attributes: { epsilon: f(1e-3) },
    },
  ],
  [
    'SkipLayerNormalization with bias and sum',
    {
      op: 'SkipLayerNormalization',
      operands: [tokens, given(5, 8), weight([8]), weight([8]), weight([8])],
      outputs: ['y', '', '', 'sum'],
    },
  ],
  [
    'SkipLayerNormalization of one row for all',
    { op: 'SkipLayerNormalization', operands: [tokens, weight([1, 5, 8]), weight([8])] },
  ],
  [
    'SkipSimplifiedLayerNormalization',
    {
      op: 'SkipSimplifiedLayerNormalization',
      operands: [tokens, given(5, 8), weight([8]), weight([8])],
      outputs: ['y', '', '', 'sum'],
    },
  ],
  [
    'Attention',
    { op: 'Attention', operands: [tokens, weight([8, 24]), weight([24])], attributes: { num_heads: 2 } },
  ],
  [
    'Attention scaled',
    {
      op: 'Attention',
      operands: [tokens, weight([8, 24]), weight([24])],
      attributes: { num_heads: 4, scale: f(0.3) },
    },
  ],
  [
    'Attention of other widths',
    {
      op: 'Attention',
      operands: [tokens, weight([8, 20]), weight([20])],
      attributes: { num_heads: 2, qkv_hidden_sizes: [8, 8, 4] },
    },
  ],
  [
    'Attention with a mask',
    {
      op: 'Attention',
      operands: [tokens, weight([8, 24]), weight([24]), mask(5)],
      attributes: { num_heads: 2 },
    },
  ],
  [
    'Attention with a mask of places',
    {
      op: 'Attention',
      operands: [tokens, weight([8, 24]), weight([24]), mask(5, 5)],
      attributes: { num_heads: 2, mask_filter_value: f(-3) },
    },
  ],
  [
    'Attention with a bias of positions',
    {
      op: 'Attention',
      operands: [tokens, weight([8, 24]), weight([24]), absent, absent, weight([1, 2, 5, 5])],
      attributes: { num_heads: 2 },
    },
  ],
  [
    'Attention to what came before',
    {
      op: 'Attention',
      operands: [tokens, weight([8, 24]), weight([24])],
      attributes: { num_heads: 2, unidirectional: 1 },
    },
  ],
  [
    'MultiHeadAttention',
    { op: 'MultiHeadAttention', operands: [tokens, given(5, 8), given(5, 8)], attributes: { num_heads: 2 } },
  ],
  [
    'MultiHeadAttention with biases',
    {
      op: 'MultiHeadAttention',
      operands: [tokens, given(5, 8), given(5, 8), weight([24])],
      attributes: { num_heads: 4, scale: f(0.2) },
    },
  ],
  [
    'MultiHeadAttention to others',
    { op: 'MultiHeadAttention', operands: [tokens, given(7, 8), given(7, 12)], attributes: { num_heads: 2 } },
  ],
  [
    'MultiHeadAttention to others by heads',
    {
      op: 'MultiHeadAttention',
      operands: [tokens, given(2, 7, 4), given(2, 7, 4)],
      attributes: { num_heads: 2 },
    },
  ],
  [
    'MultiHeadAttention with a bias of positions',
    {
      op: 'MultiHeadAttention',
      operands: [tokens, given(5, 8), given(5, 8), absent, absent, weight([1, 1, 5, 5])],
      attributes: { num_heads: 2 },
    },
  ],
  [
    'MultiHeadAttention with a mask',
    {
      op: 'MultiHeadAttention',
      operands: [tokens, given(5, 8), given(5, 8), absent, mask(5)],
      attributes: { num_heads: 2 },
    },
  ],
  [
    'MatMulIntegerToFloat',
    {
      op: 'MatMulIntegerToFloat',
      operands: [
        levels('uint8', [2, 8]),
        levels('int8', [8, 3]),
        scalar(0.02),
        weight([3], (i) => 0.01 + i * 0.002),
        level('uint8', 120),
        absent,
        weight([3]),
      ],
    },
  ],
  [
    'DynamicQuantizeMatMul',
    {
      op: 'DynamicQuantizeMatMul',
      operands: [tokens, levels('int8', [8, 3]), scalar(0.02), absent, weight([3])],
    },
  ],
  [
    'QAttention',
    {
      op: 'QAttention',
      operands: [
        levels('uint8', [2, 5, 8]),
        levels('int8', [8, 24]),
        weight([24]),
        scalar(0.02),
        scalar(0.01),
        absent,
        level('uint8', 128),
        level('int8', 0),
      ],
      attributes: { num_heads: 2 },
    },
  ],
];

it.each(real)('%s', async (_, one) => {
  const { kernel, read, graph } = await bothWays(one);
  expect(read.map((r) => r.shape)).toEqual(kernel.map((k) => k.shape));
  expect(graph.nodes.every(({ op }) => !op.includes('.'))).toBe(true);
  kernel.forEach(({ data }, k) => {
    const worst = Math.max(...data.map((v, i) => Math.abs(v - read[k]!.data[i]!)));
    expect(worst).toBeLessThan(2e-6 * Math.max(1, ...data.map(Math.abs)));
  });
});

const scales = (scale: number, zero: number | null, type: 'uint8' | 'int8' = 'uint8') => [
  scalar(scale),
  ...(zero === null ? [] : [level(type, zero)]),
];
const map = [3, 6, 5] as const;
const x = quantized(map, 0.02, 120);
const signed = quantized(map, 0.015, -3, 'int8');

/** Results as 8-bit numbers. */
const whole: [string, Case][] = [
  ['QLinearAdd', { op: 'QLinearAdd', operands: [x, quantized(map, 0.013, 100), ...scales(0.0313, 130)] }],
  [
    'QLinearAdd of signed numbers',
    { op: 'QLinearAdd', operands: [signed, quantized(map, 0.013, 5, 'int8'), ...scales(0.0313, 3, 'int8')] },
  ],
  ['QLinearSigmoid without a zero point', { op: 'QLinearSigmoid', operands: [x, scalar(1 / 256), absent] }],
  [
    'QLinearAdd of a channel each',
    {
      op: 'QLinearAdd',
      operands: [x, levels('uint8', [3, 1, 1]), scalar(0.01), level('uint8', 128), ...scales(0.0313, 130)],
    },
  ],
  ['QLinearMul', { op: 'QLinearMul', operands: [x, quantized(map, 0.013, 100), ...scales(0.0313, 130)] }],
  [
    'QLinearConcat',
    {
      op: 'QLinearConcat',
      operands: [...scales(0.0313, 130), x, quantized([2, 6, 5], 0.01, 90)],
      attributes: { axis: 1 },
    },
  ],
  ['QLinearSigmoid', { op: 'QLinearSigmoid', operands: [x, ...scales(1 / 256, 0)] }],
  [
    'QLinearSigmoid of signed numbers',
    { op: 'QLinearSigmoid', operands: [signed, ...scales(1 / 256, -128, 'int8')] },
  ],
  [
    'QLinearLeakyRelu',
    { op: 'QLinearLeakyRelu', operands: [x, ...scales(0.02, 20)], attributes: { alpha: f(0.2) } },
  ],
  [
    'QLinearSoftmax',
    {
      op: 'QLinearSoftmax',
      operands: [quantized([5, 8], 0.02, 120), ...scales(1 / 256, 0)],
      attributes: { axis: -1, opset: 13 },
    },
  ],
  [
    'QLinearSoftmax of all axes',
    {
      op: 'QLinearSoftmax',
      operands: [quantized([5, 8], 0.02, 120), ...scales(1 / 256, 0)],
      attributes: { axis: 1, opset: 11 },
    },
  ],
  ['QLinearGlobalAveragePool', { op: 'QLinearGlobalAveragePool', operands: [x, ...scales(0.0107, 130)] }],
  [
    'QLinearGlobalAveragePool, channels last',
    {
      op: 'QLinearGlobalAveragePool',
      operands: [x, ...scales(0.0107, 130)],
      attributes: { channels_last: 1 },
    },
  ],
  [
    'QLinearAveragePool',
    {
      op: 'QLinearAveragePool',
      operands: [x, ...scales(0.0107, 130)],
      attributes: { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 0, 1, 1] },
    },
  ],
  [
    'QLinearAveragePool with its padding, channels last',
    {
      op: 'QLinearAveragePool',
      operands: [x, ...scales(0.0107, 130)],
      attributes: { kernel_shape: [2, 2], pads: [1, 1, 1, 1], count_include_pad: 1, channels_last: 1 },
    },
  ],
  [
    'NhwcMaxPool',
    {
      op: 'NhwcMaxPool',
      operands: [{ ...x, nodes: (prefix) => ({ ...x.nodes(prefix), operands: [`${prefix}q`] }) }],
      attributes: { kernel_shape: [2, 2], strides: [2, 1], pads: [0, 0, 1, 1] },
    },
  ],
  [
    'QLinearConv',
    {
      op: 'QLinearConv',
      operands: [
        x,
        levels('int8', [4, 3, 3, 3], 60),
        weight([4], (i) => 0.004 + 0.001 * i),
        levels('int8', [4], 1),
        ...scales(0.05, 110),
        levels('int32', [4], 1000),
      ],
      attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1] },
    },
  ],
  [
    'QLinearConv, channels last',
    {
      op: 'QLinearConv',
      operands: [
        quantized([6, 5, 3], 0.02, 120),
        levels('int8', [4, 3, 3, 3], 60),
        scalar(0.004),
        level('int8', 0),
        ...scales(0.05, 110),
        levels('int32', [4], 1000),
      ],
      attributes: { kernel_shape: [3, 3], strides: [2, 2], auto_pad: 'SAME_LOWER', channels_last: 1 },
    },
  ],
  [
    'QGemm',
    {
      op: 'QGemm',
      operands: [
        quantized([8], 0.02, 120),
        levels('int8', [3, 8]),
        weight([3], (i) => 0.01 + i * 0.002),
        levels('int8', [3], 1),
        levels('int32', [3], 500),
        ...scales(0.2, 128),
      ],
      attributes: { transB: 1 },
    },
  ],
];

it.each(whole)('%s, to a level', async (_, one) => {
  const { kernel, read } = await bothWays({ ...one, wholeOutput: true });
  expect(read.map((r) => r.shape)).toEqual(kernel.map((k) => k.shape));
  const [{ data: expected }, { data: found }] = [kernel[0]!, read[0]!];
  expect(new Set(expected).size).toBeGreaterThan(1);
  const off = expected.map((v, i) => Math.abs(v - found[i]!));
  expect(Math.max(...off)).toBeLessThanOrEqual(1);
  // A kernel that computes in whole numbers rounds a few halves the other way.
  expect(off.filter((d) => d > 0).length).toBeLessThanOrEqual(0.02 * off.length);
});

it('QGemm gives real numbers where it has no scale for whole ones', async () => {
  const { kernel, read } = await bothWays({
    op: 'QGemm',
    operands: [
      quantized([8], 0.02, 120),
      levels('int8', [8, 3]),
      scalar(0.01),
      level('int8', 2),
      levels('int32', [3], 500),
    ],
    attributes: { alpha: f(0.5) },
  });
  for (const [i, v] of read[0]!.data.entries()) expect(v).toBeCloseTo(kernel[0]!.data[i]!, 5);
});

it('BiasSoftmax, which no CPU has a kernel for, is the softmax of a sum', async () => {
  const { bytes, feeds } = fileOf({
    op: 'BiasSoftmax',
    operands: [given(2, 3), weight([1, 1, 3])],
    attributes: { axis: 2, is_inner_broadcast: 0 },
  });
  const [x, bias] = [feeds.o0_x0!.data as Float32Array, [0, 1, 2].map((i) => 0.7 * Math.sin(2.3 * i + 3))];
  const { data } = (await run(canonical(bytes).bytes, feeds))[0]!;
  for (let row = 0; row < 4; row++) {
    const powers = bias.map((b, i) => Math.exp(x[row * 3 + i]! + Math.fround(b)));
    const sum = powers.reduce((a, b) => a + b);
    for (const [i, p] of powers.entries()) expect(data[row * 3 + i]).toBeCloseTo(p / sum, 6);
  }
});

describe('levels of 8 and of 16 bits, as ONNX Runtime has them before ONNX', () => {
  it.each([
    ['uint8', 100],
    ['int8', -3],
    ['uint16', 30_000],
    ['int16', -100],
  ] as const)('%s', async (type, zero) => {
    const end = [scalar(0.013), level(type, zero)];
    const { kernel, read } = await bothWays({
      op: 'QuantizeLinear',
      operands: [given(3, 4), ...end],
      wholeOutput: true,
    });
    expect(read).toEqual(kernel);
    expect(new Set(kernel[0]!.data).size).toBeGreaterThan(1);
    const back = await bothWays({ op: 'DequantizeLinear', operands: [levels(type, [2, 5], 100), ...end] });
    expect(back.read).toEqual(back.kernel);
  });
});

describe('E2: what an operator has that nobody has written is refused, by node and with a way out', () => {
  const attention = { op: 'Attention', operands: [tokens, weight([8, 24]), weight([24])] };
  it.each<[string, Case, string]>([
    [
      'a memory',
      {
        op: 'Attention',
        operands: [tokens, weight([8, 24]), weight([24]), absent, weight([2, 1, 2, 3, 4])],
        attributes: { num_heads: 2 },
      },
      'a memory of earlier tokens',
    ],
    ['rotary positions', { ...attention, attributes: { num_heads: 2, do_rotary: 1 } }, 'rotary positions'],
    [
      'starts and ends',
      { ...attention, operands: [...attention.operands, levels('int32', [4])], attributes: { num_heads: 2 } },
      'a mask of starts and ends',
    ],
    [
      'an activation',
      {
        op: 'FusedConv',
        operands: [image, filters],
        attributes: { activation: 'toString', kernel_shape: [3, 3] },
      },
      'the activation "toString"',
    ],
  ])('%s', (_, one, what) => {
    expect(() => canonical(fileOf(one).bytes)).toThrow(
      `node "node" (com.microsoft.${one.op}) has ${what}, which is not supported; take the model as it was before`,
    );
  });

  it('and one without what it needs is told so', () => {
    expect(() => canonical(fileOf({ op: 'Attention', operands: [tokens, weight([8, 24])] }).bytes)).toThrow(
      'node "node": inputs or attributes that com.microsoft.Attention does not have',
    );
  });
});
