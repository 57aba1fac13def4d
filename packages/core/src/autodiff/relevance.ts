import type { Value } from '../onnx/builder.ts';
import { add, div, mul, number, scale, where } from '../onnx/emit.ts';
import { type RuleContext, type Vjp, type VjpRules, vjpOf } from './rule.ts';
import { gradientRules } from './rules/index.ts';

// Layer-wise relevance propagation as a backward pass: what travels is relevance over value, R/x, which rules pass
// on as they pass a gradient on. Relevance is that times the value.

const linear = [
  'Conv',
  'ConvTranspose',
  'Gemm',
  'MatMul',
  'Add',
  'Sum',
  'Sub',
  'AveragePool',
  'GlobalAveragePool',
  'ReduceMean',
  'BatchNormalization',
];

/** The ε-rule: R_i = Σ_j x_i w_ij R_j / (z_j + ε·sign z_j), with sign 0 = 1; other operators as the gradient. */
export const epsilonRules = (epsilon: number): VjpRules => ({
  ...gradientRules,
  ...Object.fromEntries(linear.map((op) => [op, (c: RuleContext) => stabilised(c, op, epsilon)])),
});

function stabilised(c: RuleContext, op: string, epsilon: number): Value {
  const { g, y, dy } = c;
  const sign = where(g, g.emit('GreaterOrEqual', [y, number(g, 0, y)]), number(g, 1, y), number(g, -1, y));
  const share = div(g, y, add(g, y, scale(g, sign, epsilon)));
  return (vjpOf(gradientRules, op, c.index) as Vjp)({ ...c, dy: mul(g, dy, share) });
}
