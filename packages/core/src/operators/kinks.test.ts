import { describe, expect, it } from 'vitest';
import { float } from '../onnx/graph.ts';
import type { OperatorName } from '../onnx/operator-names.ts';
import { at, type Operand, real } from '../testing/cases.ts';
import { gradients } from '../testing/gradient.ts';
import { cpu } from '../testing/ort.ts';
import { rule, single } from '../testing/rule-cases.ts';

/** Derivatives that PyTorch 2.13 gives at the same points. */
const kinks: readonly (readonly [string, ReturnType<typeof rule>, readonly (readonly number[])[]])[] = [
  ['ReLU at 0 and -0', unary('Relu', at(0, -0)), [[0, 0]]],
  ['ReLU6 at its bounds', rule('Clip', '', [at(0, 6), real(0), real(6)], {}, single), [[0, 0]]],
  ['leaky ReLU at 0 has the slope below', unary('LeakyRelu', at(0), { alpha: float(0.25) }), [[0.25]]],
  ['PReLU at 0 has the slope below', rule('PRelu', '', [at(0), at(0.25)], {}, single), [[0.25], [0]]],
  ['threshold at the threshold', unary('ThresholdedRelu', at(1), { alpha: float(1) }), [[0]]],
  ['ELU at 0 has the slope below', unary('Elu', at(0), { alpha: float(0.5) }), [[0.5]]],
  ['hard sigmoid at its corners', unary('HardSigmoid', at(-3, 3), { alpha: float(1 / 6) }), [[0, 0]]],
  ['hard swish at its corners', unary('HardSwish', at(-3, 3)), [[0, 1]]],
  ['absolute value at 0', unary('Abs', at(0)), [[0]]],
  ['the larger of two equals: half each', rule('Max', '', [at(1), at(1)], {}, single), [[0.5], [0.5]]],
  [
    'the smaller of three equals: a third each',
    rule('Min', '', [at(1), at(1), at(1)], {}, single),
    [[1 / 3], [1 / 3], [1 / 3]],
  ],
  ['the largest of all, twice: half each', unary('ReduceMax', at(1, 2, 2)), [[0, 0.5, 0.5]]],
  ['the norm of nothing', unary('ReduceL2', at(0, 0)), [[0, 0]]],
  ['the sum of absolute values at 0', unary('ReduceL1', at(0, 1)), [[0, 1]]],
  ['a product with one zero', unary('ReduceProd', at(0, 3, 2)), [[6, 0, 0]]],
  ['a product with two zeros', unary('ReduceProd', at(0, 0, 2)), [[0, 0, 0]]],
  ['x¹ at 0', rule('Pow', '', [at(0), real(1)], {}, single), [[1]]],
  ['0ᵖ by its exponent', rule('Pow', '', [at(0), at(2)], {}, single), [[0], [0]]],
];

function unary(op: OperatorName, input: Operand, attributes = {}) {
  return rule(op, '', [input], attributes, single);
}

describe('kinks and ties', () => {
  it.each(kinks)('%s', async (_, c, expected) => {
    const found = Object.values(await gradients(c, cpu));
    found.forEach((gradient, i) => {
      expect(gradient.map((v) => Math.fround(v) + 0)).toEqual(expected[i]!.map((v) => Math.fround(v) + 0));
    });
    expect(found.length).toBe(expected.length);
  });
});

describe('a tie in a window goes to its first element', () => {
  const image = { shape: [1, 1, 1, 3], at: [2, 1, 2] };
  it.each([
    ['MaxPool', { kernel_shape: [1, 3] }],
    ['GlobalMaxPool', {}],
  ] as const)('%s', async (op, attributes) => {
    expect(await gradients(rule(op, '', [image], attributes, single), cpu)).toEqual({ dx0: [1, 0, 0] });
  });
});
