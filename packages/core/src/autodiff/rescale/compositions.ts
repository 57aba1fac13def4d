import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { add, div, maximum, mean, mul, number, reshape, scale, shift, sub, sum } from '../../onnx/emit.ts';
import { int, ints, real } from '../../onnx/graph.ts';
import { reductionAxes } from '../../operators/reduction.ts';
import { axisOf } from '../../operators/shape/rule.ts';
import { channelWindow, perChannel } from '../../operators/vjp/normalization.ts';
import type { RuleContext, Vjp, VjpRules } from '../../operators/vjp/rule.ts';
import { differentiate } from '../differentiate.ts';
import type { Pairs } from './pairs.ts';
import { plain } from './secant.ts';

// Operators that are made of others, which have rules: what they compute is written out and passed rule by rule.

/** An operator written out as a function of one of its inputs, which is given under a name of its own. */
type Composition = (c: RuleContext, x: Value) => Value;

/** The rule of an operator that is written out. */
export const composed =
  (composition: Composition, rules: () => VjpRules): Vjp =>
  (c) =>
    c.dyOf(0) === null || c.dyOf(1) !== null || c.dyOf(2) !== null
      ? plain(c) // something reads the statistics that a normalisation gives beside its output
      : through(c, c.g.emit('Identity', [c.x(c.index)]), composition, rules());

function through(c: RuleContext, x: Value, composition: Composition, rules: VjpRules): Value {
  const inputs = (i: number) => (i === c.index ? x : c.x(i));
  const y = composition({ ...c, x: inputs }, x);
  return differentiate(c.g, new Map([[y, c.dy]]), [x], rules)[0]!;
}

/**
 * The same of what is made of exponentials: a shift that both rows of a pair have in common keeps them within the
 * range of floats, and moves no difference. It is the mean of both maxima, so exponentials reach e^(D/2) where the
 * maxima are D apart; float32 ends at D = 177.
 */
export const shifted =
  (
    axes: (c: RuleContext) => readonly number[],
    composition: Composition,
    pairs: Pairs,
    rules: () => VjpRules,
  ): Vjp =>
  (c) => {
    const { g } = c;
    const x = c.x(0);
    return through(c, sub(g, x, pairs.mean(g, maximum(g, x, axes(c)))), composition, rules());
  };

export const lastAxis = (c: RuleContext): number[] => [axisOf(int(c.node, 'axis', -1), c.shape(0).length)];

/** As SHAP's handler, which takes e and 1/Σe for two factors. */
export const softmax: Composition = (c, z) => {
  const e = c.g.emit('Exp', [z]);
  return mul(c.g, e, c.g.emit('Reciprocal', [sum(c.g, e, lastAxis(c))]));
};

export const logSoftmax: Composition = (c, z) =>
  sub(c.g, z, c.g.emit('Log', [sum(c.g, c.g.emit('Exp', [z]), lastAxis(c))]));

export const logSumExp: Composition = (c, z) =>
  asOutput(c, c.g.emit('Log', [sum(c.g, c.g.emit('Exp', [z]), reductionAxes(c))]));

/** (x - mean) / √(variance + ε) over some axes */
function standardized(g: GraphBuilder, x: Value, axes: readonly number[], epsilon: number): Value {
  const centred = sub(g, x, mean(g, x, axes));
  return div(g, centred, root(g, mean(g, mul(g, centred, centred), axes), epsilon));
}

const root = (g: GraphBuilder, square: Value, epsilon: number): Value =>
  g.emit('Sqrt', [shift(g, square, epsilon)]);

const epsilonOf = (c: RuleContext): number => real(c.node, 'epsilon', 1e-5);

const axesFrom = (first: number, rank: number): number[] =>
  Array.from({ length: rank - first }, (_, i) => first + i);

/** The axes that a layer normalisation runs over. */
const trailing = (c: RuleContext): number[] => axesFrom(lastAxis(c)[0]!, c.shape(0).length);

/** x·scale + bias, as far as the node has them. */
const affine = (c: RuleContext, x: Value, form: (v: Value) => Value): Value => {
  const scaled = c.node.inputs[1] ? mul(c.g, x, form(c.x(1))) : x;
  return c.node.inputs[2] ? add(c.g, scaled, form(c.x(2))) : scaled;
};

export const layerNormalization: Composition = (c) =>
  affine(c, standardized(c.g, c.x(0), trailing(c), epsilonOf(c)), (v) => v);

export const rmsNormalization: Composition = (c) => {
  const x = c.x(0);
  return affine(c, div(c.g, x, root(c.g, mean(c.g, mul(c.g, x, x), trailing(c)), epsilonOf(c))), (v) => v);
};

/** Of each channel's places, with a scale for each channel. */
export const instanceNormalization: Composition = (c) => perChannelAffine(c, axesFrom(2, c.shape(0).length));

/** Of each place's channels. */
export const layerNorm2d: Composition = (c) => perChannelAffine(c, [1]);

const perChannelAffine = (c: RuleContext, axes: readonly number[]): Value =>
  affine(c, standardized(c.g, c.x(0), axes, epsilonOf(c)), (v) => perChannel(c.g, v, c.shape(0).length));

/** x / max(√(Σx² + ε), floor) */
export const l2Normalization: Composition = (c, x) => {
  const { g, node } = c;
  const length = root(g, sum(g, mul(g, x, x), ints(node, 'axes')!), real(node, 'epsilon', 0));
  const floor = real(node, 'floor', 0);
  return div(g, x, floor > 0 ? g.emit('Max', [length, number(g, floor, length)]) : length);
};

export const groupNormalization: Composition = (c) => {
  const [rows, channels, ...rest] = c.shape(0) as [number, number, ...number[]];
  const groups = int(c.node, 'num_groups', 1);
  const grouped = reshape(c.g, c.x(0), [rows, groups, channels / groups, ...rest]);
  const normal = standardized(c.g, grouped, axesFrom(2, rest.length + 3), epsilonOf(c));
  return affine(c, reshape(c.g, normal, c.shape(0)), (v) => perChannel(c.g, v, rest.length + 2));
};

/** x·(bias + α/n Σ x²)^-β over a window of n channels. */
export const localResponse: Composition = (c) => {
  const { g, node } = c;
  const x = c.x(0);
  const size = int(node, 'size', 1);
  const squares = channelWindow(g, mul(g, x, x), size, Math.floor((size - 1) / 2), Math.ceil((size - 1) / 2));
  const u = shift(g, scale(g, squares, real(node, 'alpha', 1e-4) / size), real(node, 'bias', 1));
  return mul(g, x, g.emit('Pow', [u, number(g, -real(node, 'beta', 0.75), u)]));
};

export const absoluteSum: Composition = (c, x) =>
  asOutput(c, sum(c.g, c.g.emit('Abs', [x]), reductionAxes(c)));

export const logSum: Composition = (c, x) => asOutput(c, c.g.emit('Log', [sum(c.g, x, reductionAxes(c))]));

/** A reduced value, its axes kept, in the shape of the output. */
const asOutput = (c: RuleContext, value: Value): Value => reshape(c.g, value, c.outShape);
