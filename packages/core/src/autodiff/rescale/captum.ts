import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import type { Node } from '../../onnx/graph.ts';
import type { OperatorName } from '../../onnx/operator-names.ts';
import { placed } from '../../operators/pooling.ts';
import type { VjpRules } from '../../operators/vjp/rule.ts';
import { derivative } from '../gradient.ts';
import { extremum } from './extrema.ts';
import type { Pairs } from './pairs.ts';
import { secant } from './secant.ts';

/** Operators that have the rescale rule in Captum; all others have their gradient there. */
export const captumNonlinear: readonly OperatorName[] = [
  'Relu',
  'LeakyRelu',
  'Elu',
  'Sigmoid',
  'Tanh',
  'Softplus',
];

/** Captum's pool: if windows overlap, only the last counts; right after one of the six it has its plain gradient. */
export const captumRules = (pairs: Pairs, layer: Value): VjpRules => ({
  ...Object.fromEntries(captumNonlinear.map((op) => [op, [secant(pairs)]])),
  MaxPool: [
    (c) => (followsNonlinear(c.y.g, c.node, layer) ? derivative(c) : extremum(pairs, 'Max', placed)(c)),
  ],
});

/** Whether one of the six makes the first input of a node. Captum puts no hooks on the explained layer. */
export function followsNonlinear(g: GraphBuilder, node: Node, layer: Value): boolean {
  if (node.inputs[0] === layer) return false;
  const maker = g.maker(node.inputs[0]!);
  return maker !== undefined && captumNonlinear.includes(maker.op);
}
