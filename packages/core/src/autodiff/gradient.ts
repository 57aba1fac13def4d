import type { Expression } from '../onnx/expression.ts';
import { operators, operatorsThat } from '../operators/table.ts';
import { type RuleContext, type Vjp, type VjpRules, vjpOf } from '../operators/vjp/rule.ts';

/** The derivative of every operator that has a derivative: the plain gradient. */
export const gradientRules: VjpRules = Object.fromEntries(
  operatorsThat(({ vjp }) => vjp !== null).map((op) => [op, operators[op].vjp!]),
);

/** Passes a cotangent back by an operator's own derivative: Σ_j ∂y_j/∂x_i d_j. */
export const derivative = (c: RuleContext, dy = c.dy): Expression =>
  (vjpOf(gradientRules, c.node.op, c.index) as Vjp)({ ...c, dy });
