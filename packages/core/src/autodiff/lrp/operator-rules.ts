import type { Expression } from '../../onnx/expression.ts';
import { axisOf, epsilonOf, groupedShape, range, trailing } from '../../operators/vjp/normalization.ts';
import { given, type RuleContext } from '../../operators/vjp/rule.ts';
import { sizeOf } from '../../tensor.ts';
import { derivative } from '../gradient.ts';
import { vectorOf } from './affine.ts';
import type { Canonical } from './canonical.ts';
import { movingData } from './operators.ts';
import type { OperatorRule } from './rule.ts';
import { linearised, stabilised } from './shares.ts';

// Rules by which operators without weights pass relevance on. R is the relevance of the output y, x the input.

/** R_i = R_i: relevance passes an activation as it is. */
export const pass: OperatorRule = ({ dy }) => dy;

/** Relevance goes to the elements that were moved or copied, and for a maximum to the element that it chose. */
export const asGradient: OperatorRule = (c) => derivative(c);

/** R_i = R_i for a product with a constant, 0 where the constant is 0. */
export const unlessZero: OperatorRule = (c) => {
  const { dy } = c;
  const factor = c.x(1 - c.index);
  const elements = factor.elements ?? factor.g.constants.get(factor.name)?.data;
  if (c.node.op === 'Div' || (elements && !(elements as readonly number[]).some((v) => v === 0))) return dy;
  return dy.gate(factor.equals(0).not());
};

/**
 * Gives half to each factor, so that both together get the relevance of the product. Elementwise R_i = R/2; of matrices
 *
 *     R_ik = a_ik Σ_j b_kj R_ij / (2y_ij + ε·sign y_ij)
 *
 * @see Achtibat et al., "AttnLRP: Attention-Aware Layer-Wise Relevance Propagation for Transformers", 2024, propositions 3.2 and 3.3
 */
export const uniform =
  (epsilon: number): OperatorRule =>
  (c) => {
    const factors = movingData(c.y.g, c.node).length;
    return c.node.op === 'Mul' ? c.dy.mul(1 / factors) : linearised(c, epsilon, factors);
  };

/** Gives all the relevance of x/‖x‖ to the numerator: the divisor counts as a constant. */
export const toNumerator: OperatorRule = (c) => (c.index === 0 ? c.dy : c.x(c.index).zerosLike());

/**
 * The Taylor expansion of s = softmax(x) at x, whose constant term takes a share of its own:
 *
 *     R_i = x_i (R_i - s_i Σ_j R_j)
 *
 * so that relevance is not conserved. Inputs of -∞, which a mask has made, get no relevance.
 *
 * @see Achtibat et al., 2024, proposition 3.1
 */
export const softmaxTaylor: OperatorRule = (c) => {
  const { y, dy } = c;
  const x = c.x(0);
  const finite = x.emit('IsInf', [], { detect_positive: 0 }).where(0, x);
  return finite.mul(dy.sub(y.mul(dy.sum([axisOf(c)]))));
};

/**
 * A normalisation y = w (x - μ)/σ + b with σ taken as a constant, by the ε-rule: over the axes of the mean μ
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
    const { shape, axes } = grouped(c);
    const x = c.x(0).reshape(shape);
    const variance = x.sub(x.mean(axes)).square().mean(axes);
    const deviation = variance.add(epsilonOf(c)).sqrt();
    const d = weighted(c, whole, c.dy.div(stabilised(whole.output, epsilon))).reshape(shape);
    const relevance = x.div(deviation).mul(d.sub(d.mean(axes)));
    return relevance.reshape(c.x(0).shape);
  };

/** Gives the shape in which a normalisation takes means, and the axes that it takes them over. */
function grouped(c: RuleContext): { shape: readonly number[]; axes: readonly number[] } {
  const whole = c.x(0).shape;
  switch (c.node.op) {
    case 'LayerNormalization':
      return { shape: whole, axes: trailing(c) };
    case 'LayerNorm2d':
      return { shape: whole, axes: [1] };
    case 'InstanceNormalization':
      return { shape: whole, axes: range(2, whole.length) };
    default: {
      const split = groupedShape(c);
      return { shape: split, axes: range(2, split.length) };
    }
  }
}

/** Multiplies by the weights of a normalisation and of the nodes that are part of it; there may be no such weights. */
function weighted(c: RuleContext, { follows }: Canonical, value: Expression): Expression {
  const [, , ...places] = c.x(0).shape;
  const last = c.node.op === 'LayerNormalization';
  const along = (vector: Expression) =>
    last ? vector : vector.reshape([sizeOf(vector.shape), ...places.map(() => 1)]);
  const factors = [given(c, 1), ...follows.map((affine) => vectorOf(affine).factor)];
  return factors.flatMap((factor) => (factor ? [along(factor)] : [])).reduce((a, b) => a.mul(b), value);
}
