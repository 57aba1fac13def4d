import type { Expression } from '../onnx/expression.ts';
import type { Node } from '../onnx/graph.ts';
import type { OperatorName } from '../onnx/operator-names.ts';
import { given, type RuleContext, type VjpRules, withVjp } from '../operators/vjp/rule.ts';
import { derivative, gradientRules } from './gradient.ts';

// Layer-wise relevance propagation as in Captum; that by composites is in lrp/. The backward pass propagates relevance
// over value, R/x, which rules pass on as they pass a gradient on. Relevance is R/x times the value.

/** Operators that have the ε-rule; all others pass relevance on as the gradient. */
const summing: readonly OperatorName[] = [
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
/** Operators that can have another rule. */
const weighted: readonly OperatorName[] = ['Conv', 'Gemm', 'MatMul'];

export interface Relevance {
  /** The ε that keeps small sums away from zero. */
  readonly epsilon: number;
  /** The rule of convolutions and linear layers; other linear operators have the ε-rule. */
  readonly rule: 'epsilon' | 'gamma' | 'alpha1-beta0' | 'identity';
  readonly gamma: number;
  /** The number of first layers with weights that have the rule; 0 is all of them. */
  readonly first: number;
}

/**
 * R_i = Σ_j x_i v_ij R_j / (z_j + ε·sign z_j), z = Σ_i x_i v_ij + b, with sign 0 = 1; operators that are not linear
 * pass relevance on as the gradient.
 *
 * - epsilon: v = w
 * - gamma: v = w + γ·max(w, 0)
 * - alpha1-beta0: v = max(w, 0)
 * - identity: R_i = R_i, for layers that keep their shape
 *
 * @param nodes the network's own nodes, in order
 */
export function captumRelevanceRules(nodes: readonly Node[], how: Relevance): VjpRules {
  const layers = nodes.filter(({ op }) => weighted.includes(op));
  const ruled = new Set((how.first > 0 ? layers.slice(0, how.first) : layers).map(({ name }) => name));
  const shared = (c: RuleContext) =>
    c.index === 0 && how.rule !== 'epsilon' && ruled.has(c.node.name)
      ? byRule(c, how)
      : derivative(c, stabilised(c, c.y, how.epsilon));
  return {
    ...gradientRules,
    ...Object.fromEntries(summing.map((op) => [op, withVjp(gradientRules[op]!, shared)])),
  };
}

/** dy·y / (z + ε·sign z) */
function stabilised({ y, dy }: RuleContext, z: Expression, epsilon: number): Expression {
  const sign = z.isAtLeast(0).where(z.number(1), -1);
  return dy.mul(y.div(z.add(sign.mul(epsilon))));
}

function byRule(c: RuleContext, { rule, gamma, epsilon }: Relevance): Expression {
  const { node, x, y, dy } = c;
  if (rule === 'identity') {
    const whole = x(0).equals(0).not();
    const ratio = dy.mul(y).div(whole.where(x(0), 1));
    return ratio.gate(whole);
  }
  const positive = x(1).relu();
  const weight = rule === 'gamma' ? x(1).add(positive.mul(gamma)) : positive;
  const bias = given(c, 2);
  const z = x(0).emit(node.op, bias ? [weight, bias] : [weight], node.attributes);
  const own = { ...c, x: (i: number) => (i === 1 ? weight : x(i)) };
  return derivative(own, stabilised(c, z, epsilon));
}
