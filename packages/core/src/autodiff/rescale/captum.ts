import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import type { Node } from '../../onnx/graph.ts';
import type { OperatorName } from '../../onnx/operator-names.ts';
import { placed } from '../../operators/pooling.ts';
import type { VjpRules } from '../../operators/vjp/rule.ts';
import { derivative } from '../gradient.ts';
import { extremum } from './extrema.ts';
import type { Pairs } from './pairs.ts';
import { secant } from './secant.ts';

/** What Captum has the rescale rule for; everything else has its gradient there. */
export const captumNonlinear: readonly OperatorName[] = [
  'Relu',
  'LeakyRelu',
  'Elu',
  'Sigmoid',
  'Tanh',
  'Softplus',
];

/** Captum's pool: where windows overlap the last one wins, and right after one of the six it has its plain gradient. */
export const captumRules = (pairs: Pairs, layer: Value): VjpRules => ({
  ...Object.fromEntries(captumNonlinear.map((op) => [op, [secant(pairs)]])),
  MaxPool: [
    (c) => (followsNonlinear(c.y.g, c.node, layer) ? derivative(c) : extremum(pairs, 'Max', placed)(c)),
  ],
});

/** Whether one of the six gives what a node takes. Captum keeps its hooks off the layer that is explained. */
export function followsNonlinear(g: GraphBuilder, node: Node, layer: Value): boolean {
  if (node.inputs[0] === layer) return false;
  const maker = g.maker(node.inputs[0]!);
  return maker !== undefined && captumNonlinear.includes(maker.op);
}
