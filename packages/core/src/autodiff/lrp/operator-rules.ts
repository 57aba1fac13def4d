import type { Value } from '../../onnx/builder.ts';
import {
  castLike,
  div,
  mean,
  mul,
  number,
  reshape,
  scale,
  shift,
  sub,
  sum,
  where,
  zerosLike,
} from '../../onnx/emit.ts';
import { int, real } from '../../onnx/graph.ts';
import { axisOf } from '../../operators/shape/rule.ts';
import type { RuleContext } from '../../operators/vjp/rule.ts';
import { sizeOf } from '../../tensor.ts';
import { vectorOf } from './affine.ts';
import type { Canonical } from './canonical.ts';
import { movingData } from './operators.ts';
import type { OperatorRule } from './rule.ts';
import { derivative, linearised, stabilised } from './shares.ts';

// How operators without weights pass relevance on. R is the relevance of the output y, x the input.

/** R_i = R_i: relevance passes an activation as it is. */
export const pass: OperatorRule = ({ dy }) => dy;

/** Relevance goes where the elements came from, and of a maximum to the element that it chose. */
export const asGradient: OperatorRule = (c) => derivative(c, c.dy);

/** R_i = R_i of a product with a constant, 0 where the constant is 0. */
export const unlessZero: OperatorRule = (c) => {
  const { g, dy } = c;
  const factor = c.x(1 - c.index);
  const elements = g.elements(factor) ?? g.constants.get(factor)?.data;
  if (c.node.op === 'Div' || (elements && !(elements as readonly number[]).some((v) => v === 0))) return dy;
  const nonzero = g.emit('Not', [g.emit('Equal', [factor, number(g, 0, factor)])]);
  return mul(g, dy, castLike(g, nonzero, dy));
};

/**
 * Half to each factor, so that what a product of two is given is what both are given. Elementwise R_i = R/2; of matrices
 *
 *     R_ik = a_ik Σ_j b_kj R_ij / (2y_ij + ε·sign y_ij)
 *
 * @see Achtibat et al., "AttnLRP: Attention-Aware Layer-Wise Relevance Propagation for Transformers", 2024, propositions 3.2 and 3.3
 */
export const uniform =
  (epsilon: number): OperatorRule =>
  (c) => {
    const factors = movingData(c.g, c.node).length;
    return c.node.op === 'Mul' ? scale(c.g, c.dy, 1 / factors) : linearised(c, epsilon, factors);
  };

/** All of x/‖x‖'s relevance to the numerator: the divisor counts as a constant. */
export const toNumerator: OperatorRule = (c) => (c.index === 0 ? c.dy : zerosLike(c.g, c.x(c.index)));

/**
 * The Taylor expansion of s = softmax(x) at x, whose constant term takes a share of its own:
 *
 *     R_i = x_i (R_i - s_i Σ_j R_j)
 *
 * so that relevance is not conserved. Inputs of -∞, which a mask has made, are given none.
 *
 * @see Achtibat et al., 2024, proposition 3.1
 */
export const softmaxTaylor: OperatorRule = (c) => {
  const { g, node, y, dy } = c;
  const x = c.x(0);
  const axis = axisOf(int(node, 'axis', -1), c.shape(0).length);
  const masked = g.emit('IsInf', [x], { detect_positive: 0 });
  const finite = where(g, masked, number(g, 0, x), x);
  return mul(g, finite, sub(g, dy, mul(g, y, sum(g, dy, [axis]))));
};

/**
 * A normalisation y = w (x - μ)/σ + b with σ taken as a constant, by the ε-rule: over the axes that μ is the mean of
 *
 *     R_i = x_i/σ (d_i - mean d),   d_j = w_j R_j / (y_j + ε·sign y_j)
 *
 * The bias takes relevance, and so does the mean.
 *
 * @see Achtibat et al., 2024, proposition 3.4
 */
export const centred =
  (epsilon: number): OperatorRule =>
  (c, whole = { node: c.node, follows: [], output: c.y }) => {
    const { g, node, dy } = c;
    const { shape, axes } = grouped(c);
    const x = reshape(g, c.x(0), shape);
    const centre = sub(g, x, mean(g, x, axes));
    const variance = mean(g, mul(g, centre, centre), axes);
    const deviation = g.emit('Sqrt', [shift(g, variance, real(node, 'epsilon', 1e-5))]);
    const d = reshape(g, weighted(c, whole, div(g, dy, stabilised(g, whole.output, epsilon))), shape);
    return reshape(g, mul(g, div(g, x, deviation), sub(g, d, mean(g, d, axes))), c.shape(0));
  };

/** The shape in which a normalisation takes means, and the axes that it takes them over. */
function grouped({ node, shape }: RuleContext): { shape: readonly number[]; axes: readonly number[] } {
  const from = (first: number, of: readonly number[]) => of.flatMap((_, i) => (i >= first ? [i] : []));
  const whole = shape(0);
  switch (node.op) {
    case 'LayerNormalization':
      return { shape: whole, axes: from(axisOf(int(node, 'axis', -1), whole.length), whole) };
    case 'LayerNorm2d':
      return { shape: whole, axes: [1] };
    case 'InstanceNormalization':
      return { shape: whole, axes: from(2, whole) };
    default: {
      const [rows, channels, ...rest] = whole as [number, number, ...number[]];
      const groups = int(node, 'num_groups', 1);
      const split = [rows, groups, channels / groups, ...rest];
      return { shape: split, axes: from(2, split) };
    }
  }
}

/** A value times the weights of a normalisation and of what is part of it; where a file spells it out it may have none. */
function weighted({ g, node, shape }: RuleContext, { follows }: Canonical, value: Value): Value {
  const spatial = shape(0).slice(2);
  const last = node.op === 'LayerNormalization';
  const along = (vector: Value) => reshape(g, vector, [sizeOf(g.shape(vector)), ...spatial.map(() => 1)]);
  const own = node.inputs[1] ? [last ? node.inputs[1] : along(node.inputs[1])] : [];
  const later = follows.flatMap((affine) => {
    const { factor } = vectorOf(g, affine);
    return factor ? [last ? factor : along(factor)] : [];
  });
  return [...own, ...later].reduce((product, factor) => mul(g, product, factor), value);
}
