import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import {
  add,
  div,
  mean,
  mul,
  neg,
  number,
  reshape,
  scale,
  shift,
  sub,
  sum,
  zerosLike,
} from '../../onnx/emit.ts';
import { int, ints, real } from '../../onnx/graph.ts';
import { sizeOf } from '../../tensor.ts';
import { axisOf as positiveAxis } from '../shape/rule.ts';
import { partOf } from './part.ts';
import { gate, type RuleContext, type Vjp, type VjpRow } from './rule.ts';

// Softmax and the normalisations, with respect to the data. All of the latter share one derivative: with
// x̂ = (x - μ)/σ over some axes and the cotangent d of x̂,  dx = (d - mean d - x̂·mean(d·x̂)) / σ.

interface Standardized {
  /** x̂ */
  readonly normal: Value;
  /** v/σ */
  overDeviation(v: Value): Value;
}

function standardize(g: GraphBuilder, x: Value, axes: readonly number[], epsilon: number): Standardized {
  const centred = sub(g, x, mean(g, x, axes));
  const deviation = g.emit('Sqrt', [shift(g, mean(g, mul(g, centred, centred), axes), epsilon)]);
  const overDeviation = (v: Value) => div(g, v, deviation);
  return { normal: overDeviation(centred), overDeviation };
}

function standardizedVjp(
  g: GraphBuilder,
  { normal, overDeviation }: Standardized,
  d: Value,
  axes: readonly number[],
): Value {
  const projected = mul(g, normal, mean(g, mul(g, d, normal), axes));
  return overDeviation(sub(g, sub(g, d, mean(g, d, axes)), projected));
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

const axisOf = (c: RuleContext, otherwise: number): number =>
  positiveAxis(int(c.node, 'axis', otherwise), c.shape(0).length);

const epsilonOf = (c: RuleContext): number => real(c.node, 'epsilon', 1e-5);

/** By what the file spells out. */
function spelledStandardized(c: RuleContext): Standardized | undefined {
  const { g, x } = c;
  const [deviation, inverse] = [partOf(c, 'deviation'), partOf(c, 'inverse')];
  if (deviation === undefined && inverse === undefined) return undefined;
  const overDeviation = (v: Value) => (inverse === undefined ? div(g, v, deviation!) : mul(g, v, inverse));
  const centred = partOf(c, 'centred') ?? sub(g, x(0), partOf(c, 'mean')!);
  return { normal: overDeviation(centred), overDeviation };
}

/** d, of the cotangent of x̂·scale; a function that a file spells out may have no scale. */
const withoutScale = (c: RuleContext, scaleOf: (v: Value) => Value = (v) => v): Value =>
  c.node.inputs[1] ? mul(c.g, c.dy, scaleOf(c.x(1))) : c.dy;

/** d, with a scale per channel. */
const withoutChannelScale = (c: RuleContext): Value =>
  withoutScale(c, (v) => perChannel(c.g, v, c.shape(0).length));

/** The axes that a layer normalisation runs over. */
const trailing = (c: RuleContext): number[] => range(axisOf(c, -1), c.shape(0).length);

/** By the mean and 1/σ that the operator gives beside its output; they are float32 whatever the input is. */
function layerStandardized(c: RuleContext): Standardized {
  const { g, node } = c;
  const x = c.x(0);
  const spelled = spelledStandardized(c);
  if (spelled) return spelled;
  if (g.dtype(x) !== 'float32') return standardize(g, x, trailing(c), epsilonOf(c));
  const inverse = g.demandOutput(node, 2);
  const overDeviation = (v: Value) => mul(g, v, inverse);
  return { normal: overDeviation(sub(g, x, g.demandOutput(node, 1))), overDeviation };
}

/** What comes back by the mean μ and by s = 1/σ, which a derivative that is differentiated again is made of: (dμ - ds·s²·x̂) / n. */
function throughStatistics(c: RuleContext, { normal, overDeviation }: Standardized): Value | undefined {
  const { g } = c;
  const [mean, inverse] = [c.dyOf(1), c.dyOf(2)];
  if (!mean && !inverse) return undefined;
  const size = sizeOf(c.shape(0).slice(axisOf(c, -1)));
  const bent = inverse && overDeviation(overDeviation(mul(g, inverse, normal)));
  const both = mean && (bent ? sub(g, mean, bent) : g.emit('Expand', [mean, g.emit('Shape', [c.x(0)])]));
  return scale(g, both ?? neg(g, bent!), 1 / size);
}

const rootMeanSquare = (c: RuleContext): Value =>
  partOf(c, 'deviation') ??
  c.g.emit('Sqrt', [shift(c.g, mean(c.g, mul(c.g, c.x(0), c.x(0)), trailing(c)), epsilonOf(c))]);

/** A per-channel vector as [1, C, 1, …]. */
export const perChannel = (g: GraphBuilder, v: Value, rank: number): Value => {
  const size = sizeOf(g.shape(v));
  return reshape(g, v, [size, ...Array<number>(rank - 2).fill(1)]);
};

/** y·(dy - Σ dy·y) */
export const softmaxVjp: Vjp = (c) => {
  const { g, y, dy } = c;
  const inner = sum(g, mul(g, dy, y), [axisOf(c, -1)]);
  return mul(g, y, sub(g, dy, inner));
};

/** dy - eʸ·Σ dy */
export const logSoftmaxVjp: Vjp = (c) => {
  const { g, y, dy } = c;
  return sub(g, dy, mul(g, g.emit('Exp', [y]), sum(g, dy, [axisOf(c, -1)])));
};

export const batchNormalizationVjp: Vjp = ({ g, node, x, shape, dy }) => {
  const deviation = g.emit('Sqrt', [shift(g, x(4), real(node, 'epsilon', 1e-5))]);
  return mul(g, dy, perChannel(g, div(g, x(1), deviation), shape(0).length));
};

export const instanceNormalizationVjp: Vjp = (c) => {
  const { g, x, shape } = c;
  const axes = range(2, shape(0).length);
  const standardized = spelledStandardized(c) ?? standardize(g, x(0), axes, epsilonOf(c));
  return standardizedVjp(g, standardized, withoutChannelScale(c), axes);
};

/** Of the channels of each place. */
export const layerNorm2dVjp: Vjp = (c) => {
  const { g, x } = c;
  const standardized = spelledStandardized(c) ?? standardize(g, x(0), [1], epsilonOf(c));
  return standardizedVjp(g, standardized, withoutChannelScale(c), [1]);
};

/** y = x/n:  dx = (dy - y·Σ dy·y) / n, but dy/n where n is held at its floor; with n = √(Σx² + ε) the same. */
export const l2NormalizationVjp: Vjp = (c) => {
  const { g, node, x, y, dy } = c;
  const axes = ints(node, 'axes')!;
  const floor = real(node, 'floor', 0);
  const inverse = partOf(c, 'inverse');
  const along = sum(g, mul(g, dy, y), axes);
  const over = (v: Value, norm: Value) => (inverse === undefined ? div(g, v, norm) : mul(g, v, norm));
  const norm = inverse ?? partOf(c, 'norm') ?? heldLength(g, x(0), axes, floor, real(node, 'epsilon', 0));
  const beyond = () =>
    inverse === undefined
      ? g.emit('Greater', [norm, number(g, floor, norm)])
      : g.emit('Less', [norm, number(g, 1 / floor, norm)]);
  return over(sub(g, dy, mul(g, y, floor > 0 ? gate(g, beyond(), along) : along)), norm);
};

/** √(Σx² + ε), held above the floor. */
function heldLength(
  g: GraphBuilder,
  x: Value,
  axes: readonly number[],
  floor: number,
  epsilon: number,
): Value {
  const length = g.emit('Sqrt', [shift(g, sum(g, mul(g, x, x), axes), epsilon)]);
  return floor > 0 ? g.emit('Max', [length, number(g, floor, length)]) : length;
}

export const groupNormalizationVjp: Vjp = (c) => {
  const { g, node, x, shape } = c;
  const s = shape(0);
  const groups = int(node, 'num_groups', 1);
  const grouped = [s[0]!, groups, s[1]! / groups, ...s.slice(2)];
  const d = reshape(g, withoutChannelScale(c), grouped);
  const axes = range(2, grouped.length);
  const standardized = standardize(g, reshape(g, x(0), grouped), axes, epsilonOf(c));
  return reshape(g, standardizedVjp(g, standardized, d, axes), s);
};

/** y = x·u^-β, u = k + α/n·Σ x² over a window of channels:  dx = dy·u^-β - 2αβ/n · x·Σ dy·x·u^(-β-1) */
export const lrnVjp: Vjp = ({ g, node, x, dy }) => {
  const size = int(node, 'size', 1);
  const [alpha, beta, bias] = [real(node, 'alpha', 1e-4), real(node, 'beta', 0.75), real(node, 'bias', 1)];
  const [before, after] = [Math.floor((size - 1) / 2), Math.ceil((size - 1) / 2)];
  const u = shift(g, scale(g, channelWindow(g, mul(g, x(0), x(0)), size, before, after), alpha / size), bias);
  const direct = mul(g, dy, g.emit('Pow', [u, number(g, -beta, u)]));
  const inner = mul(g, mul(g, dy, x(0)), g.emit('Pow', [u, number(g, -beta - 1, u)]));
  const cross = mul(g, x(0), channelWindow(g, inner, size, after, before));
  return add(g, direct, scale(g, cross, (-2 * alpha * beta) / size));
};

export const layerNormalizationVjp: VjpRow = [
  (c) => {
    const standardized = layerStandardized(c);
    const statistics = throughStatistics(c, standardized);
    if (!c.dyOf(0)) return statistics ?? zerosLike(c.g, c.x(0));
    const direct = standardizedVjp(c.g, standardized, withoutScale(c), trailing(c));
    return statistics ? add(c.g, direct, statistics) : direct;
  },
  (c) => (c.dyOf(0) ? mul(c.g, c.dy, layerStandardized(c).normal) : zerosLike(c.g, c.x(1))),
  (c) => c.dyOf(0) ?? zerosLike(c.g, c.x(2)),
];

/** y = w·x/r, r = √(mean x² + ε):  dx = (d - x̂·mean(d·x̂)) / r  with d = dy·w and x̂ = x/r */
export const rmsNormalizationVjp: VjpRow = [
  (c) => {
    const { g, x } = c;
    const inverse = partOf(c, 'inverse');
    const r = inverse ?? rootMeanSquare(c);
    const over = (v: Value) => (inverse === undefined ? div(g, v, r) : mul(g, v, r));
    const normal = over(x(0));
    const d = withoutScale(c);
    return over(sub(g, d, mul(g, normal, mean(g, mul(g, d, normal), trailing(c)))));
  },
  (c) => mul(c.g, c.dy, div(c.g, c.x(0), rootMeanSquare(c))),
];

/** Σ over a window of `size` channels: an average pool along the channel axis, times its size. */
export function channelWindow(g: GraphBuilder, x: Value, size: number, before: number, after: number): Value {
  const shape = g.shape(x);
  const plane = shape.slice(2).reduce((a, b) => a * b, 1);
  const rows = reshape(g, x, [shape[0]!, 1, shape[1]!, plane]);
  const pooled = g.emit('AveragePool', [rows], {
    kernel_shape: [size, 1],
    pads: [before, 0, after, 0],
    strides: [1, 1],
    count_include_pad: 1,
  });
  return reshape(g, scale(g, pooled, size), shape);
}
