import { describe, expect, it } from 'vitest';
import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { Expression } from '../../onnx/expression.ts';
import { type Attributes, float } from '../../onnx/graph.ts';
import { type OperatorName, spelledFunctions } from '../../onnx/operator-names.ts';
import { newGraph } from '../../operators/new-graph.ts';
import type { VjpRules } from '../../operators/vjp/rule.ts';
import { built } from '../../programs/built.ts';
import type { Tensor } from '../../tensor.ts';
import { type Operand, real, values, weight, within } from '../../testing/cases.ts';
import { cpu } from '../../testing/ort.ts';
import { differentiate } from '../differentiate.ts';
import { gradientRules } from '../gradient.ts';
import { rescaleRules } from './index.ts';

// Each rule by itself: multipliers times differences are the difference of the outputs, and where image and baseline
// come together the multiplier is the gradient.

type Made = (g: GraphBuilder, xs: readonly Value[]) => Value;

interface Case {
  readonly title: string;
  readonly op: OperatorName;
  readonly inputs: readonly Operand[];
  readonly make: Made;
  readonly dtype: 'float32' | 'float64';
}

const rule = (
  op: OperatorName,
  title: string,
  inputs: readonly Operand[],
  attributes: Attributes = {},
  dtype: Case['dtype'] = 'float64',
): Case => ({ op, title, inputs, dtype, make: (g, xs) => g.emit(op, xs, attributes) });

/** Around zero, and where functions are defined that are not everywhere. Rows are -2: an image and its baseline. */
const x = (...shape: number[]) => within(-2, 2, -2, ...shape);
const positive = (...shape: number[]) => within(0.3, 3, -2, ...shape);
const small = (...shape: number[]) => within(-0.9, 0.9, -2, ...shape);
const ints = (...data: number[]): Operand => ({
  constant: { dtype: 'int64', shape: [data.length], data: BigInt64Array.from(data, BigInt) },
});

const single = 'float32';
const elementwise: Partial<Record<OperatorName, Operand>> = {
  Relu: x(9),
  LeakyRelu: x(9),
  Elu: x(9),
  Selu: x(9),
  Celu: x(9),
  Clip: x(9),
  Shrink: x(9),
  ThresholdedRelu: x(9),
  Sigmoid: x(9),
  HardSigmoid: x(9),
  HardSwish: x(9),
  Tanh: x(9),
  Softplus: x(9),
  Softsign: x(9),
  Erf: x(9),
  Gelu: x(9),
  Mish: x(9),
  Swish: x(9),
  Abs: x(9),
  Exp: x(9),
  Log: positive(9),
  Sqrt: positive(9),
  Reciprocal: positive(9),
  Sin: x(9),
  Cos: x(9),
  Tan: small(9),
  Asin: small(9),
  Acos: small(9),
  Atan: x(9),
  Sinh: x(9),
  Cosh: x(9),
  Asinh: x(9),
  Acosh: within(1.2, 3, -2, 9),
  Atanh: small(9),
};
/** Of which ONNX Runtime has no float64 kernel, or of whose derivatives. */
const inSingle =
  /^(LeakyRelu|Shrink|ThresholdedRelu|Elu|Selu|Celu|Softplus|Softsign|HardSigmoid|HardSwish|Erf|Gelu|Tan|Asin|Acos|Atan|Sinh|Cosh|Asinh|Acosh|Atanh)$/;
const opsets: Readonly<Record<string, number>> = {
  Gelu: 20,
  Swish: 24,
  RMSNormalization: 23,
  GroupNormalization: 21,
};
const opsetOf = (op: string): number => opsets[op] ?? 18;

const window = { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] };
const cases: readonly Case[] = [
  ...(Object.entries(elementwise) as [OperatorName, Operand][]).map(([op, operand]) =>
    rule(
      op,
      'plain',
      op === 'Clip' ? [operand, real(-0.7), real(0.9)] : [operand],
      {},
      inSingle.test(op) ? single : 'float64',
    ),
  ),
  rule('Mul', 'of two that move', [x(3), x(3)]),
  rule('Mul', 'of a map and a number for each channel', [x(3, 2, 2), x(3, 1, 1)]),
  rule('Mul', 'by a constant', [x(3), weight(3)]),
  { ...rule('Mul', 'of a value by itself', [x(3)]), make: (g, [a]) => g.emit('Mul', [a!, a!]) },
  rule('MatMul', 'of two that move', [x(2, 3, 4), x(2, 4, 5)]),
  rule('MatMul', 'of a vector for each row', [x(1, 4), x(4, 2)]),
  rule('MatMul', 'by a constant', [x(2, 3), weight(3, 2)]),
  rule('Gemm', 'by a constant', [x(3), weight(2, 3), weight(2)], { transB: 1 }),
  rule('Einsum', 'of two that move', [x(2, 3), x(4, 3)], { equation: 'bik,bjk->bij' }),
  rule('Einsum', 'with what only one of them has summed', [x(2, 3), x(4)], { equation: 'bik,bj->bj' }),
  rule('Div', 'of two that move', [x(3), positive(3)]),
  rule('Div', 'by a number for each row', [x(3, 2), positive(1, 1)]),
  {
    ...rule('Div', 'by a norm of its own', [x(3)]),
    make: (g, [a]) => g.emit('Div', [a!, g.emit('ReduceL2', [a!, g.ints([1])])]),
  },
  rule('Div', 'of a constant', [weight(3), positive(3)]),
  rule('Div', 'by a constant', [x(3), weight(3)]),
  rule('Max', 'of two that move', [x(9), x(9)]),
  rule('Max', 'with a constant, stretched', [x(4, 1), weight(3)]),
  rule('Min', 'of two that move, one stretched', [x(4, 3), x(1, 3)]),
  rule('Pow', 'squared', [x(5), real(2)]),
  rule('Pow', 'cubed', [x(5), real(3)]),
  rule('Pow', 'a broken exponent', [positive(5), real(0.4)]),
  rule(
    'Pow',
    'of a constant',
    [within(0.5, 2, 3) as Operand & { fixed: true }, x(3)].map((o, i) =>
      i === 0 ? { ...o, fixed: true } : o,
    ) as Operand[],
  ),
  rule('Pow', 'of two that move', [positive(5), x(5)]),
  rule('PRelu', 'with a constant slope', [x(3, 2), weight(3, 1)]),
  rule('PRelu', 'with a slope that moves', [x(9), x(9)]),
  rule('MaxPool', 'windows that overlap', [x(2, 6, 6)], window),
  rule('GlobalMaxPool', 'plain', [x(2, 3, 3)], {}, single),
  rule('ReduceMax', 'one axis', [x(3, 4), ints(1)], { keepdims: 0 }),
  rule('ReduceMin', 'two axes', [x(3, 4), ints(1, 2)]),
  rule('Softmax', 'along the last axis', [x(3, 5)], { axis: -1 }),
  rule('Softmax', 'along the channels', [x(4, 2, 2)], { axis: 1 }),
  rule('LogSoftmax', 'plain', [x(5)], { axis: -1 }),
  rule('ReduceLogSumExp', 'axes dropped', [x(3, 4), ints(2)], { keepdims: 0 }),
  rule('LayerNormalization', 'plain', [x(3, 4), weight(4), weight(4)], { axis: -1 }, single),
  rule('LayerNormalization', 'without bias, over two axes', [x(3, 4), weight(3, 4)], { axis: 1 }, single),
  rule('LayerNormalization', 'with a scale that moves', [x(3, 4), weight(4), weight(4)], {}, single),
  rule('RMSNormalization', 'plain', [x(3, 4), weight(4)], { axis: -1 }, single),
  rule('InstanceNormalization', 'plain', [x(3, 2, 2), weight(3), weight(3)], {}, single),
  rule('GroupNormalization', 'of two groups', [x(4, 2, 2), weight(4), weight(4)], { num_groups: 2 }, single),
  rule('LRN', 'across three channels', [x(5, 2, 2)], { size: 3, alpha: float(0.3) }, single),
  rule('ReduceL1', 'axes kept', [x(3, 4), ints(1)]),
  rule('ReduceL2', 'axes dropped', [x(3, 4), ints(1)], { keepdims: 0 }),
  rule('ReduceSumSquare', 'all but the rows', [x(3, 4), ints(1, 2)]),
  rule('ReduceLogSum', 'plain', [positive(3, 4), ints(1)]),
];

/** The operator over pairs of rows, and the multipliers of its inputs that move. */
function applied({ op, inputs, dtype, make }: Case, rulesOf: (g: GraphBuilder, x: Value) => VjpRules) {
  const g = newGraph(opsetOf(op));
  const moving: Value[] = [];
  const given = inputs.map((operand, i) => {
    if (operand === '') return '';
    if ('constant' in operand) return g.constant(operand.constant);
    if ('at' in operand) throw new Error('not used here');
    if ('fixed' in operand) return g.constant(values(dtype, operand.shape, operand.low, operand.high, i));
    moving.push(g.input(`x${i}`, dtype, operand.shape));
    return `x${i}`;
  });
  const y = make(g, given);
  const seed = g.input('seed', dtype, g.shape(y));
  const found = differentiate(g, new Map([[y, seed]]), moving, rulesOf(g, moving[0]!));
  const outputs = { y, ...Object.fromEntries(moving.map((name, i) => [`d${name}`, found[i]!])) };
  return {
    bytes: built(g, outputs).bytes,
    moving,
    shape: (value: Value) => g.shape(value),
    seed: g.shape(y),
  };
}

const pairs = 3;
const sized = (shape: readonly number[]) => shape.map((d) => (d < 0 ? (-d / 2) * 2 * pairs : d));

/** `apart`: how far the baseline is from the image, of how far it is in the case itself. */
async function multipliers(
  c: Case,
  apart: number,
  rulesOf = (g: GraphBuilder, x: Value) => rescaleRules(new Expression(g, x), false),
) {
  const { bytes, moving, shape, seed } = applied(c, rulesOf);
  const session = await cpu.load(bytes);
  const feeds: Record<string, Tensor> = {};
  for (const name of moving) {
    const operand = c.inputs[Number(name.slice(1))] as { low: number; high: number };
    feeds[name] = moved(
      values(c.dtype, sized(shape(name)), operand.low, operand.high, moving.indexOf(name) + 3),
      apart,
    );
  }
  const seeds = values(c.dtype, sized(seed), 0.5, 1.5, 40);
  const alike = moved(seeds, 0); // both rows of a pair have one cotangent
  const out = await session.run({ ...feeds, seed: alike });
  await session.close();
  return { feeds, seed: alike, out };
}

/** The second row of each pair drawn to the first. */
function moved(t: Tensor, apart: number): Tensor {
  const data = (t.data as Float64Array).slice();
  const size = data.length / (2 * pairs);
  for (let i = 0; i < data.length; i++)
    if (Math.floor(i / size) % 2 === 1) data[i] = data[i - size]! + apart * (data[i]! - data[i - size]!);
  return { ...t, data } as Tensor;
}

/** Σ m·Δ over an input, Σ |m·Δ| besides. */
function credited(m: Tensor, v: Tensor): readonly [number, number] {
  const [a, b] = [m.data as Float64Array, v.data as Float64Array];
  const size = b.length / (2 * pairs);
  let [sum, whole] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    if (Math.floor(i / size) % 2 === 1) continue;
    sum += a[i]! * (b[i]! - b[i + size]!);
    whole += Math.abs(a[i]! * (b[i]! - b[i + size]!));
  }
  return [sum, whole];
}

/** What rounding leaves, of the sum of absolute values. */
const rounding = { float64: 1e-13, float32: 1e-6 };

describe('Multipliers of', () => {
  it.each(cases.map((c) => [`${c.op}: ${c.title}`, c] as const))('%s add up', async (_, c) => {
    const { feeds, seed, out } = await multipliers(c, 1);
    const parts = Object.entries(feeds).map(([name, value]) => credited(out[`d${name}`]!, value));
    const [expected, scale] = credited(seed, out.y!);
    const sum = parts.reduce((total, [part]) => total + part, 0);
    const whole = parts.reduce((total, [, part]) => total + part, scale);
    expect(Math.abs(sum - expected)).toBeLessThan(rounding[c.dtype] * whole);
    expect(scale).toBeGreaterThan(0.1);
  });

  it.each(cases.map((c) => [`${c.op}: ${c.title}`, c] as const))(
    '%s are the gradient where image and baseline come together',
    async (_, c) => {
      for (const apart of c.dtype === 'float64' ? [1e-7, 0] : [0]) {
        const found = await multipliers(c, apart);
        const gradient = await multipliers(c, apart, () => gradientRules);
        for (const name of Object.keys(found.feeds)) {
          const [a, b] = [found.out[`d${name}`]!.data, gradient.out[`d${name}`]!.data] as Float64Array[];
          const largest = Math.max(...Array.from(b!, Math.abs));
          // A step of 1e-7 moves the slope by as much, and loses as much to cancellation.
          const tolerance = c.dtype === 'float64' ? (apart === 0 ? 1e-12 : 2e-6) : 3e-6;
          a!.forEach((v, i) => {
            expect(Math.abs(v - b![i]!), `${apart} ${name}[${i}]`).toBeLessThan(tolerance * largest);
          });
        }
      }
    },
  );

  it('every operator that has a rule of its own are tried here', () => {
    const g = newGraph(18);
    const rules = rescaleRules(new Expression(g, g.input('x', 'float32', [-2, 3])), false);
    const own = (Object.keys(rules) as OperatorName[]).filter((op) => rules[op] !== gradientRules[op]);
    const spelled: readonly string[] = spelledFunctions; // tried as files spell them, in networks.test.ts
    expect([...new Set(cases.map(({ op }) => op))].sort()).toEqual(
      own.filter((op) => op !== 'Mod' && !spelled.includes(op)).sort(),
    );
  });
});
