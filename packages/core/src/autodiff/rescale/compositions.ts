import type { Expression } from '../../onnx/expression.ts';
import { ints, real } from '../../onnx/graph.ts';
import { reductionAxes } from '../../operators/reduction.ts';
import {
  axisOf,
  epsilonOf,
  groupedShape,
  perChannel,
  range,
  rankOf,
  standardize,
  trailing,
} from '../../operators/vjp/normalization.ts';
import { given, type RuleContext, type Vjp, type VjpRules } from '../../operators/vjp/rule.ts';
import { heldLength, lrnBase } from '../../operators/vjp/scaling.ts';
import { differentiate } from '../differentiate.ts';
import { derivative } from '../gradient.ts';
import type { Pairs } from './pairs.ts';

// Operators that are made of others, which have rules: the composition is written out and differentiated rule by rule.

/** An operator written out as a function of one of its inputs; this input gets a name of its own. */
type Composition = (c: RuleContext, x: Expression) => Expression;

/** Makes the rule of an operator that is written out as a composition. */
export const composed =
  (composition: Composition, rules: () => VjpRules): Vjp =>
  (c) =>
    c.dyOf(0) === null || c.dyOf(1) !== null || c.dyOf(2) !== null
      ? derivative(c) // something reads the statistics that a normalisation gives beside its output
      : through(c, c.x(c.index).emit('Identity'), composition, rules());

function through(c: RuleContext, x: Expression, composition: Composition, rules: VjpRules): Expression {
  const inputs = (i: number) => (i === c.index ? x : c.x(i));
  const y = composition({ ...c, x: inputs }, x);
  const [dx] = differentiate(x.g, new Map([[y.name, c.dy.name]]), [x.name], rules);
  return x.of(dx!);
}

/**
 * Makes the same rule for a composition of exponentials: a shift that both rows of a pair share keeps exponentials in
 * the range of floats and changes no difference. The shift is the mean of both maxima, so exponentials reach e^(D/2)
 * if the maxima are D apart; float32 overflows at D = 177.
 */
export const shifted =
  (
    axes: (c: RuleContext) => readonly number[],
    composition: Composition,
    pairs: Pairs,
    rules: () => VjpRules,
  ): Vjp =>
  (c) => {
    const x = c.x(0);
    return through(c, x.sub(pairs.mean(x.max(axes(c)))), composition, rules());
  };

export const lastAxis = (c: RuleContext): number[] => [axisOf(c)];

/** Writes softmax as a product of two factors, e and 1/Σe, like the handler of SHAP. */
export const softmax: Composition = (c, z) => {
  const e = z.exp();
  return e.mul(e.sum(lastAxis(c)).reciprocal());
};

export const logSoftmax: Composition = (c, z) => z.sub(z.exp().sum(lastAxis(c)).log());

export const logSumExp: Composition = (c, z) => z.exp().sum(reductionAxes(c)).log().reshape(c.y.shape);

/** (x - mean) / √(variance + ε) over some axes */
const standardized = (c: RuleContext, x: Expression, axes: readonly number[]): Expression =>
  standardize(x, axes, epsilonOf(c)).normal;

/** Computes x·scale + bias; a scale or bias that the node does not have is left out. */
function affine(c: RuleContext, x: Expression, form = (v: Expression) => v): Expression {
  const scale = given(c, 1);
  const scaled = scale ? x.mul(form(scale)) : x;
  const bias = given(c, 2);
  return bias ? scaled.add(form(bias)) : scaled;
}

export const layerNormalization: Composition = (c) => affine(c, standardized(c, c.x(0), trailing(c)));

export const rmsNormalization: Composition = (c) => {
  const x = c.x(0);
  return affine(c, x.div(x.square().mean(trailing(c)).add(epsilonOf(c)).sqrt()));
};

/** Normalises over the places of each channel, with a scale for each channel. */
export const instanceNormalization: Composition = (c) =>
  perChannelAffine(c, standardized(c, c.x(0), range(2, rankOf(c))));

/** Normalises over the channels of each place. */
export const layerNorm2d: Composition = (c) => perChannelAffine(c, standardized(c, c.x(0), [1]));

const perChannelAffine = (c: RuleContext, normal: Expression): Expression =>
  affine(c, normal, (v) => perChannel(v, rankOf(c)));

/** x / max(√(Σx² + ε), floor) */
export const l2Normalization: Composition = ({ node }, x) =>
  x.div(heldLength(x, ints(node, 'axes')!, real(node, 'floor', 0), real(node, 'epsilon', 0)));

export const groupNormalization: Composition = (c) => {
  const grouped = c.x(0).reshape(groupedShape(c));
  const normal = standardized(c, grouped, range(2, grouped.shape.length));
  return perChannelAffine(c, normal.reshape(c.x(0).shape));
};

/** x·(bias + α/n Σ x²)^-β over a window of n channels. */
export const localResponse: Composition = (c, x) => x.mul(lrnBase(c).pow(-real(c.node, 'beta', 0.75)));

// Reductions take the shape of the output, whether it keeps the reduced axes or not.

export const absoluteSum: Composition = (c, x) => x.abs().sum(reductionAxes(c)).reshape(c.y.shape);

export const logSum: Composition = (c, x) => x.sum(reductionAxes(c)).log().reshape(c.y.shape);
