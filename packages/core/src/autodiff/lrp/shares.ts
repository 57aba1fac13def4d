import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { add, div, mul, number, scale, shift, where } from '../../onnx/emit.ts';
import { type RuleContext, type Vjp, vjpOf } from '../../operators/vjp/rule.ts';
import { gradientRules } from '../gradient.ts';
import type { Part } from './rule.ts';

// What rules with a denominator have in common.

/** z + ε·sign z, with sign 0 = 1. */
export function stabilised(g: GraphBuilder, z: Value, epsilon: number, sign?: Part['denominator']): Value {
  if (sign) return shift(g, z, sign === 'positive' ? epsilon : -epsilon);
  const positive = g.emit('GreaterOrEqual', [z, number(g, 0, z)]);
  return add(g, z, where(g, positive, number(g, epsilon, z), number(g, -epsilon, z)));
}

/** Σ_j ∂y_j/∂x_i d_j: an operator's own derivative. */
export const derivative = (c: RuleContext, dy: Value): Value =>
  (vjpOf(gradientRules, c.node.op, c.index) as Vjp)({ ...c, dy });

/**
 * The ε-rule by the operator's own derivative, R_i = x_i Σ_j ∂y_j/∂x_i R_j / stabilised(count · y_j). What is not linear counts as
 * its linear part at x.
 *
 * @param count how many inputs the operator is linear in with the others held, each of which has its even share
 */
export const linearised = (c: RuleContext, epsilon: number, count = 1): Value => {
  const { g, y, dy } = c;
  return mul(g, c.x(c.index), derivative(c, div(g, dy, stabilised(g, scale(g, y, count), epsilon))));
};
