import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import type { Node } from '../../onnx/graph.ts';
import type { RuleContext, VjpRow, VjpRules } from '../rule.ts';
import { gradientRules } from '../rules/index.ts';
import { boundsOf } from './bounds.ts';
import { type Composite, isFirstOf, isLinearRule, ruleOf } from './composite.ts';
import { linearLayers } from './linear-layers.ts';
import { pass } from './operator-rules.ts';
import { kindOf } from './operators.ts';
import { type Bounds, linearised, propagated } from './propagate.ts';

/** The network whose relevance is passed back. */
export interface Explained {
  readonly g: GraphBuilder;
  readonly image: Value;
  readonly scores: Value;
  /** Its own nodes, in order. */
  readonly nodes: readonly Node[];
}

/**
 * Layer-wise relevance propagation as a backward pass whose cotangents are relevances.
 *
 * @param pixels makes the least and the greatest value of each pixel, which broadcast to the image
 */
export function relevanceRules(
  { g, image, scores, nodes }: Explained,
  composite: Composite,
  pixels: (g: GraphBuilder) => Bounds,
): VjpRules {
  const found = linearLayers(g, nodes, scores);
  const byRule = (c: RuleContext): Value => {
    const [output] = c.node.outputs as [Value];
    if (found.merged.has(output)) return pass(c);
    const layer = found.layers.get(output);
    const kind = layer?.kind ?? kindOf(g, c.node);
    const rule = ruleOf(composite, kind, isFirstOf(found, c.node));
    if (!isLinearRule(rule)) return rule(c);
    if (layer) return propagated(c, layer, rule, () => boundsOf(g, image, c.x(c.index), pixels(g)));
    return linearised(c, rule.stabilizer);
  };
  return Object.fromEntries(Object.entries(gradientRules).map(([op, row]) => [op, withRule(row, byRule)]));
}

/** Rules where an operator has a derivative, and for its data also where that is zero. */
const withRule = (row: VjpRow, rule: (c: RuleContext) => Value): VjpRow =>
  typeof row === 'function' ? rule : row.map((vjp, i) => (vjp || (vjp === null && i === 0) ? rule : vjp));
