import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { Expression } from '../../onnx/expression.ts';
import type { Node } from '../../onnx/graph.ts';
import type { OperatorName } from '../../onnx/operator-names.ts';
import { operators } from '../../operators/table.ts';
import type { Vjp, VjpRow, VjpRules } from '../../operators/vjp/rule.ts';
import { gradientRules } from '../gradient.ts';
import { boundsOf } from './bounds.ts';
import { canonicalForm } from './canonical.ts';
import { type Composite, isFirstOf, isLinearRule, ruleOf } from './composite.ts';
import type { Bounds } from './modified.ts';
import { pass } from './operator-rules.ts';
import { kindOf } from './operators.ts';
import { propagated } from './propagate.ts';
import { linearised } from './shares.ts';

/** The network that relevance is passed back through. */
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
  pixels: () => Bounds,
): VjpRules {
  const form = canonicalForm(g, nodes, scores);
  const box = (x: Expression) => boundsOf(new Expression(g, image), x, pixels());
  const byRule: Vjp = (c) => {
    const [output] = c.node.outputs as [Value];
    if (form.merged.has(output)) return pass(c);
    const layer = form.layers.get(output);
    const kind = layer?.kind ?? kindOf(g, c.node);
    if (kind !== 'movement' && c.index >= operators[c.node.op].data && !layer)
      return c.x(c.index).zerosLike(); // no data
    const { elementwise, normalises, data } = operators[c.node.op];
    if ((elementwise || normalises) && c.index >= data) return c.x(c.index).zerosLike(); // it says how, and is no part
    const rule = ruleOf(composite, kind, isFirstOf(form, c.node));
    if (!isLinearRule(rule)) return rule(c, form.normalisations.get(output));
    if (layer) return propagated(c, layer, rule, () => box(c.x(c.index)));
    return linearised(c, rule.stabilizer);
  };
  return Object.fromEntries(
    (Object.entries(gradientRules) as [OperatorName, VjpRow][]).map(([op, row]) => [
      op,
      withRule(row, byRule),
    ]),
  );
}

/** Puts a rule in place of each derivative of an operator, and of a zero derivative of its first input. */
const withRule = (row: VjpRow, rule: Vjp): VjpRow =>
  typeof row === 'function' ? rule : row.map((vjp, i) => (vjp || (vjp === null && i === 0) ? rule : vjp));
