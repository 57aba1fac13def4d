import type { Expression } from '../../onnx/expression.ts';
import { int, real } from '../../onnx/graph.ts';
import { sizeOf } from '../../tensor.ts';
import { axisOf as positiveAxis } from '../shape/rule.ts';
import { partOf } from './part.ts';
import { given, type RuleContext, type Vjp, type VjpRow } from './rule.ts';

// Normalisations by moments, with respect to the data. They share one derivative: with
// x̂ = (x - μ)/σ over some axes and the cotangent d of x̂,  dx = (d - mean d - x̂·mean(d·x̂)) / σ.

interface Standardized {
  /** x̂ */
  readonly normal: Expression;
  /** v/σ */
  overDeviation(v: Expression): Expression;
}

export function standardize(x: Expression, axes: readonly number[], epsilon: number): Standardized {
  const centred = x.sub(x.mean(axes));
  const deviation = centred.square().mean(axes).add(epsilon).sqrt();
  return { normal: centred.div(deviation), overDeviation: (v) => v.div(deviation) };
}

function standardizedVjp(
  { normal, overDeviation }: Standardized,
  d: Expression,
  axes: readonly number[],
): Expression {
  const projected = normal.mul(d.mul(normal).mean(axes));
  return overDeviation(d.sub(d.mean(axes)).sub(projected));
}

export const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, i) => from + i);

export const rankOf = (c: RuleContext): number => c.x(0).shape.length;

/** Reads the node's axis, by default the last. */
export const axisOf = (c: RuleContext): number => positiveAxis(int(c.node, 'axis', -1), rankOf(c));

export const epsilonOf = (c: RuleContext): number => real(c.node, 'epsilon', 1e-5);

/** Standardizes by the file's own values. */
function spelledStandardized(c: RuleContext): Standardized | undefined {
  const [deviation, inverse] = [partOf(c, 'deviation'), partOf(c, 'inverse')];
  if (deviation === undefined && inverse === undefined) return undefined;
  const overDeviation = (v: Expression) => (inverse === undefined ? v.div(deviation!) : v.mul(inverse));
  const centred = partOf(c, 'centred') ?? c.x(0).sub(partOf(c, 'mean')!);
  return { normal: overDeviation(centred), overDeviation };
}

/** Computes d from the cotangent of x̂·scale; a function that a file spells out may have no scale. */
function withoutScale(c: RuleContext, scaleOf = (v: Expression) => v): Expression {
  const scale = given(c, 1);
  return scale ? c.dy.mul(scaleOf(scale)) : c.dy;
}

/** Computes d for a scale per channel. */
const withoutChannelScale = (c: RuleContext): Expression => withoutScale(c, (v) => perChannel(v, rankOf(c)));

/** Lists the axes of a layer normalisation. */
export const trailing = (c: RuleContext): number[] => range(axisOf(c), rankOf(c));

/** Standardizes by the mean and 1/σ that the operator also outputs; they are float32 for every type of input. */
function layerStandardized(c: RuleContext): Standardized {
  const x = c.x(0);
  const spelled = spelledStandardized(c);
  if (spelled) return spelled;
  if (x.dtype !== 'float32') return standardize(x, trailing(c), epsilonOf(c));
  const inverse = c.output(2);
  return { normal: x.sub(c.output(1)).mul(inverse), overDeviation: (v) => v.mul(inverse) };
}

/** Computes the cotangent through the mean μ and s = 1/σ, for a second derivative: (dμ - ds·s²·x̂) / n. */
function throughStatistics(c: RuleContext, { normal, overDeviation }: Standardized): Expression | undefined {
  const [mean, inverse] = [c.dyOf(1), c.dyOf(2)];
  const size = sizeOf(c.x(0).shape.slice(axisOf(c)));
  const bent = inverse && overDeviation(overDeviation(inverse.mul(normal)));
  if (!mean) return bent?.neg().mul(1 / size);
  return (bent ? mean.sub(bent) : mean.expandAs(c.x(0))).mul(1 / size);
}

const rootMeanSquare = (c: RuleContext): Expression =>
  partOf(c, 'deviation') ?? c.x(0).square().mean(trailing(c)).add(epsilonOf(c)).sqrt();

/** Reshapes a per-channel vector to [1, C, 1, …]. */
export const perChannel = (v: Expression, rank: number): Expression =>
  v.reshape([sizeOf(v.shape), ...Array<number>(rank - 2).fill(1)]);

export const batchNormalizationVjp: Vjp = (c) => {
  const deviation = c.x(4).add(epsilonOf(c)).sqrt();
  return c.dy.mul(perChannel(c.x(1).div(deviation), rankOf(c)));
};

export const instanceNormalizationVjp: Vjp = (c) => channelsVjp(c, range(2, rankOf(c)));

/** The derivative over the channels of each place. */
export const layerNorm2dVjp: Vjp = (c) => channelsVjp(c, [1]);

/** Differentiates over some axes, with a scale per channel. */
function channelsVjp(c: RuleContext, axes: readonly number[]): Expression {
  const standardized = spelledStandardized(c) ?? standardize(c.x(0), axes, epsilonOf(c));
  return standardizedVjp(standardized, withoutChannelScale(c), axes);
}

export const groupNormalizationVjp: Vjp = (c) => {
  const { shape } = c.x(0);
  const grouped = groupedShape(c);
  const d = withoutChannelScale(c).reshape(grouped);
  const axes = range(2, grouped.length);
  const standardized = standardize(c.x(0).reshape(grouped), axes, epsilonOf(c));
  return standardizedVjp(standardized, d, axes).reshape(shape);
};

/** [N, groups, C/groups, …] */
export function groupedShape({ node, x }: RuleContext): number[] {
  const [rows, channels, ...places] = x(0).shape as [number, number, ...number[]];
  const groups = int(node, 'num_groups', 1);
  return [rows, groups, channels / groups, ...places];
}

export const layerNormalizationVjp: VjpRow = [
  (c) => {
    const standardized = layerStandardized(c);
    const statistics = throughStatistics(c, standardized);
    if (!c.dyOf(0)) return statistics ?? c.x(0).zerosLike();
    const direct = standardizedVjp(standardized, withoutScale(c), trailing(c));
    return statistics ? direct.add(statistics) : direct;
  },
  (c) => (c.dyOf(0) ? c.dy.mul(layerStandardized(c).normal) : c.x(1).zerosLike()),
  (c) => c.dyOf(0) ?? c.x(2).zerosLike(),
];

/** y = w·x/r, r = √(mean x² + ε):  dx = (d - x̂·mean(d·x̂)) / r  with d = dy·w and x̂ = x/r */
export const rmsNormalizationVjp: VjpRow = [
  (c) => {
    const inverse = partOf(c, 'inverse');
    const r = inverse ?? rootMeanSquare(c);
    const over = (v: Expression) => (inverse ? v.mul(r) : v.div(r));
    const normal = over(c.x(0));
    const d = withoutScale(c);
    return over(d.sub(normal.mul(d.mul(normal).mean(trailing(c)))));
  },
  (c) => c.dy.mul(c.x(0).div(rootMeanSquare(c))),
];
