import { dtypeOfCode } from '../../onnx/dtype.ts';
import { int } from '../../onnx/graph.ts';
import { sizeOf } from '../../tensor.ts';
import {
  axisOf,
  broadcast,
  broadcastOffsets,
  type Fact,
  followed,
  like,
  type ShapeContext,
  type ShapeRule,
  type ShapeRules,
} from './fact.ts';

const sameAsFirst: ShapeRule = (c) => like(c.x(0));

const unaries =
  'LeakyRelu Elu Selu Celu ThresholdedRelu Sigmoid HardSigmoid HardSwish Tanh Softplus Softsign Erf Exp Log Sqrt Identity Softmax LogSoftmax Hardmax LRN InstanceNormalization GroupNormalization Gelu Mish Swish Sin Cos Tan Asin Acos Atan Sinh Cosh Asinh Acosh Atanh PRelu CumSum Trilu LpNormalization MeanVarianceNormalization ScatterElements ScatterND Shrink RandomUniformLike RandomNormalLike Bernoulli BitwiseNot RMSNormalization';

/** The output of every n-ary elementwise operator: broadcast shapes, and elements where all are known. */
const nary =
  (combine: (...values: number[]) => number, dtype?: Fact['dtype'], first = 0): ShapeRule =>
  (c) => {
    const facts = Array.from({ length: c.count }, (_, i) => c.x(i));
    const shape = broadcast(...facts.map((f) => f.shape));
    const type = dtype ?? facts[first]!.dtype;
    const value =
      facts.every((f) => f.value) && sizeOf(shape) <= followed
        ? combined(facts, shape, combine, type)
        : undefined;
    return [{ dtype: type, shape, value }];
  };

function combined(
  facts: readonly Fact[],
  shape: readonly number[],
  combine: (...v: number[]) => number,
  dtype: Fact['dtype'],
) {
  const columns = facts.map((f) =>
    Array.from(broadcastOffsets(f.shape, shape), (offset) => f.value![offset]!),
  );
  const results = Array.from({ length: columns[0]!.length }, (_, k) =>
    combine(...columns.map((column) => column[k]!)),
  );
  return dtype.startsWith('float') ? results : results.map(Math.trunc);
}

/** Of operators whose results nothing depends on that shapes depend on. */
const broadcasting: ShapeRule = (c) => [
  { dtype: c.x(0).dtype, shape: broadcast(...Array.from({ length: c.count }, (_, i) => c.x(i).shape)) },
];

const comparison = (test: (a: number, b: number) => boolean): ShapeRule =>
  nary((a, b) => Number(test(a!, b!)), 'bool');

const mapped =
  (f: (v: number) => number): ShapeRule =>
  (c) => [{ ...c.x(0), value: c.x(0).value?.map(f) }];

const cast = (c: ShapeContext): readonly Fact[] => {
  const { shape, value } = c.x(0);
  const dtype = dtypeOfCode[int(c.node, 'to', 1)] ?? 'float32';
  return [{ dtype, shape, value: dtype.startsWith('float') ? value : value?.map(Math.trunc) }];
};

export const elementwise: ShapeRules = {
  ...Object.fromEntries(unaries.split(' ').map((op) => [op, sameAsFirst])),
  Add: nary((a, b) => a! + b!),
  Sub: nary((a, b) => a! - b!),
  Mul: nary((a, b) => a! * b!),
  Div: nary((a, b) => a! / b!),
  Mod: nary((a, b) => a! - b! * Math.floor(a! / b!)),
  Pow: nary((a, b) => a! ** b!),
  Min: nary(Math.min),
  Max: nary(Math.max),
  Sum: nary((...v) => v.reduce((a, b) => a + b)),
  Mean: nary((...v) => v.reduce((a, b) => a + b) / v.length),
  And: nary((a, b) => Number(a && b), 'bool'),
  Or: nary((a, b) => Number(a || b), 'bool'),
  Xor: nary((a, b) => Number(a !== b), 'bool'),
  BitwiseXor: broadcasting,
  BitShift: broadcasting,
  Equal: comparison((a, b) => a === b),
  Greater: comparison((a, b) => a > b),
  GreaterOrEqual: comparison((a, b) => a >= b),
  Less: comparison((a, b) => a < b),
  LessOrEqual: comparison((a, b) => a <= b),
  Where: nary((condition, a, b) => (condition ? a! : b!), undefined, 1),
  Not: (c) => [{ ...c.x(0), dtype: 'bool', value: c.x(0).value?.map((v) => Number(!v)) }],
  IsNaN: (c) => [{ shape: c.x(0).shape, dtype: 'bool' }],
  IsInf: (c) => [{ shape: c.x(0).shape, dtype: 'bool' }],
  Clip(c) {
    const x = c.x(0);
    const low = c.has(1) ? c.x(1).value?.[0] : Number.NEGATIVE_INFINITY;
    const high = c.has(2) ? c.x(2).value?.[0] : Number.POSITIVE_INFINITY;
    const known = low !== undefined && high !== undefined;
    return [{ ...x, value: known ? x.value?.map((v) => Math.min(Math.max(v, low), high)) : undefined }];
  },
  Relu: mapped((v) => Math.max(v, 0)),
  Abs: mapped(Math.abs),
  Sign: mapped(Math.sign),
  Reciprocal: mapped((v) => 1 / v),
  Round: mapped((v) => (Math.abs(v % 1) === 0.5 ? 2 * Math.round(v / 2) : Math.round(v))),
  Neg: mapped((v) => -v),
  Floor: mapped(Math.floor),
  Ceil: mapped(Math.ceil),
  Identity: mapped((v) => v),
  Sqrt: mapped(Math.sqrt),
  Cast: cast,
  CastLike: (c) => [{ ...c.x(0), dtype: c.x(1).dtype, value: c.x(0).value }],
  LayerNormalization: (c) => {
    const { dtype, shape } = c.x(0);
    const first = axisOf(int(c.node, 'axis', -1), shape.length);
    const statistic: Fact = { dtype: 'float32', shape: shape.map((d, i) => (i < first ? d : 1)) };
    return [{ dtype, shape }, statistic, statistic];
  },
  QuantizeLinear: (c) => [{ shape: c.x(0).shape, dtype: c.has(2) ? c.x(2).dtype : 'uint8' }],
  DynamicQuantizeLinear: (c) => [
    { dtype: 'uint8', shape: c.x(0).shape },
    { dtype: 'float32', shape: [] },
    { dtype: 'uint8', shape: [] },
  ],
  DequantizeLinear: (c) => [{ shape: c.x(0).shape, dtype: c.x(1).dtype }],
};
