import type { Value } from '../onnx/builder.ts';
import { add, div, mul, number, relu, scale, where } from '../onnx/emit.ts';
import type { Node } from '../onnx/graph.ts';
import type { OperatorName } from '../onnx/operator-names.ts';
import { gate, type RuleContext, type Vjp, type VjpRules, vjpOf, withVjp } from '../operators/vjp/rule.ts';
import { gradientRules } from './gradient.ts';

// Layer-wise relevance propagation as Captum has it; lrp/ has that by composites. A backward pass in which relevance over
// value travels, R/x, which rules pass on as they pass a gradient on. Relevance is that times the value.

/** What has the ε-rule; other operators pass relevance on as the gradient. */
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
/** What can have another rule. */
const weighted: readonly OperatorName[] = ['Conv', 'Gemm', 'MatMul'];

export interface Relevance {
  /** What small sums are held away from zero with. */
  readonly epsilon: number;
  /** The rule of convolutions and linear layers; what else is linear has the ε-rule. */
  readonly rule: 'epsilon' | 'gamma' | 'alpha1-beta0' | 'identity';
  readonly gamma: number;
  /** How many of the first layers with weights have the rule; 0 is all of them. */
  readonly first: number;
}

/**
 * R_i = Σ_j x_i v_ij R_j / (z_j + ε·sign z_j), z = Σ_i x_i v_ij + b, with sign 0 = 1; operators that are not linear
 * pass relevance on as the gradient.
 *
 * - epsilon: v = w
 * - gamma: v = w + γ·max(w, 0)
 * - alpha1-beta0: v = max(w, 0)
 * - identity: R_i = R_i, of layers that keep their shape
 *
 * @param nodes the network's own, in order
 */
export function captumRelevanceRules(nodes: readonly Node[], how: Relevance): VjpRules {
  const layers = nodes.filter(({ op }) => weighted.includes(op));
  const ruled = new Set((how.first > 0 ? layers.slice(0, how.first) : layers).map(({ name }) => name));
  const shared = (c: RuleContext) =>
    c.index === 0 && how.rule !== 'epsilon' && ruled.has(c.node.name)
      ? byRule(c, how)
      : passed(c, stabilised(c, c.y, how.epsilon));
  return {
    ...gradientRules,
    ...Object.fromEntries(summing.map((op) => [op, withVjp(gradientRules[op]!, shared)])),
  };
}

/** Relevance over value, by an operator's own derivative. */
const passed = (c: RuleContext, dy: Value): Value =>
  (vjpOf(gradientRules, c.node.op, c.index) as Vjp)({ ...c, dy });

/** dy·y / (z + ε·sign z) */
function stabilised({ g, y, dy }: RuleContext, z: Value, epsilon: number): Value {
  const sign = where(g, g.emit('GreaterOrEqual', [z, number(g, 0, z)]), number(g, 1, z), number(g, -1, z));
  return mul(g, dy, div(g, y, add(g, z, scale(g, sign, epsilon))));
}

function byRule(c: RuleContext, { rule, gamma, epsilon }: Relevance): Value {
  const { g, node, x, y, dy } = c;
  if (rule === 'identity') {
    const whole = g.emit('Not', [g.emit('Equal', [x(0), number(g, 0, x(0))])]);
    return gate(g, whole, div(g, mul(g, dy, y), where(g, whole, x(0), number(g, 1, x(0)))));
  }
  const positive = relu(g, x(1));
  const weight = rule === 'gamma' ? add(g, x(1), scale(g, positive, gamma)) : positive;
  const z = g.emit(node.op, node.inputs.with(1, weight), node.attributes);
  const own = { ...c, x: (i: number) => (i === 1 ? weight : x(i)) };
  return passed(own, stabilised(c, z, epsilon));
}
