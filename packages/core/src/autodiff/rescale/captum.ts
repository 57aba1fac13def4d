import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { reshape, zerosLike } from '../../onnx/emit.ts';
import type { Node } from '../../onnx/graph.ts';
import type { OperatorName } from '../../onnx/operator-names.ts';
import type { RuleContext, VjpRules } from '../../operators/vjp/rule.ts';
import { extremum } from './extrema.ts';
import type { Pairs } from './pairs.ts';
import { plain, secant } from './secant.ts';

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
  MaxPool: [(c) => (followsNonlinear(c.g, c.node, layer) ? plain(c) : extremum(pairs, 'Max', lastWins)(c))],
});

/** Whether one of the six gives what a node takes. Captum keeps its hooks off the layer that is explained. */
export function followsNonlinear(g: GraphBuilder, node: Node, layer: Value): boolean {
  if (node.inputs[0] === layer) return false;
  const maker = g.maker(node.inputs[0]!);
  return maker !== undefined && captumNonlinear.includes(maker.op);
}

/** Each value at the element that its window chose; where several windows chose one, the last of them. */
function lastWins({ g, node, x, dy }: RuleContext): Value {
  const flat = (v: Value) => g.emit('Reshape', [v, g.ints([-1])]);
  const indices = g.demandOutput(node, 1);
  const placed = g.emit('ScatterElements', [zerosLike(g, flat(x(0))), flat(indices), flat(dy)], { axis: 0 });
  return reshape(g, placed, g.shape(x(0)));
}
