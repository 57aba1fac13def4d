import type { Expression } from '../onnx/expression.ts';
import { operators, operatorsThat } from '../operators/table.ts';
import { type RuleContext, type Vjp, type VjpRules, vjpOf } from '../operators/vjp/rule.ts';

/** The derivative of every operator that has one: the gradient proper. */
export const gradientRules: VjpRules = Object.fromEntries(
  operatorsThat(({ vjp }) => vjp !== null).map((op) => [op, operators[op].vjp!]),
);

/** Σ_j ∂y_j/∂x_i d_j: what an operator's own derivative makes of a cotangent. */
export const derivative = (c: RuleContext, dy = c.dy): Expression =>
  (vjpOf(gradientRules, c.node.op, c.index) as Vjp)({ ...c, dy });
