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
import { axisOf } from '../../onnx/shapes/fact.ts';
import type { RuleContext } from '../rule.ts';
import { derivative, linearised, stabilised } from './propagate.ts';
import type { OperatorRule } from './rule.ts';

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

/** R_i = x_i Σ_j ∂y_j/∂x_i R_j / (y_j + ε·sign y_j) */
export const share =
  (epsilon: number): OperatorRule =>
  (c) =>
    linearised(c, epsilon);

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
    const factors = c.node.inputs.filter((input) => input !== '' && c.g.dependsOnInputs(input)).length;
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
  (c) => {
    const { g, node, y, dy } = c;
    if (c.index > 0) return linearised(c, epsilon);
    const grouped = groupedShape(c);
    const axes = grouped.shape.flatMap((_, i) => (i >= grouped.from ? [i] : []));
    const x = reshape(g, c.x(0), grouped.shape);
    const centre = sub(g, x, mean(g, x, axes));
    const deviation = g.emit('Sqrt', [
      shift(g, mean(g, mul(g, centre, centre), axes), real(node, 'epsilon', 1e-5)),
    ]);
    const ratio = div(g, dy, stabilised(g, y, epsilon));
    const d = reshape(g, mul(g, ratio, weightsOf(c)), grouped.shape);
    const relevance = mul(g, div(g, x, deviation), sub(g, d, mean(g, d, axes)));
    return reshape(g, relevance, c.shape(0));
  };

/** The shape in which a normalisation takes the mean over all axes from `from` on. */
function groupedShape(c: RuleContext): { shape: readonly number[]; from: number } {
  const shape = c.shape(0);
  if (c.node.op === 'LayerNormalization')
    return { shape, from: axisOf(int(c.node, 'axis', -1), shape.length) };
  if (c.node.op === 'InstanceNormalization') return { shape, from: 2 };
  const [rows, channels, ...rest] = shape as [number, number, ...number[]];
  const groups = int(c.node, 'num_groups', 1);
  return { shape: [rows, groups, channels / groups, ...rest], from: 2 };
}

/** The weights of a normalisation so that they meet its data. */
function weightsOf(c: RuleContext): Value {
  if (c.node.op === 'LayerNormalization') return c.x(1);
  const spatial = c.shape(0).slice(2);
  return reshape(c.g, c.x(1), [c.shape(1)[0]!, ...spatial.map(() => 1)]);
}
