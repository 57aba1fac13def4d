import type { Expression } from '../../onnx/expression.ts';
import type { RuleContext } from '../../operators/vjp/rule.ts';
import { derivative } from '../gradient.ts';
import type { Part } from './rule.ts';

// Functions that rules with a denominator share.

/** z + ε·sign z, with sign 0 = 1. */
export function stabilised(z: Expression, epsilon: number, sign?: Part['denominator']): Expression {
  if (sign) return z.add(sign === 'positive' ? epsilon : -epsilon);
  return z.add(z.isAtLeast(0).where(z.number(epsilon), -epsilon));
}

/**
 * The ε-rule by the operator's own derivative, R_i = x_i Σ_j ∂y_j/∂x_i R_j / stabilised(count · y_j). An operator that
 * is not linear counts as its linear part at x.
 *
 * @param count the number of inputs in which the operator is linear with the others constant; each has an even share
 */
export const linearised = (c: RuleContext, epsilon: number, count = 1): Expression =>
  c.x(c.index).mul(derivative(c, c.dy.div(stabilised(c.y.mul(count), epsilon))));
