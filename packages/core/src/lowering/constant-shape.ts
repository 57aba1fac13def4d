import type { GraphBuilder } from '../onnx/builder.ts';
import type { Node } from '../onnx/graph.ts';

/**
 * Replaces the computed shape of a Reshape by a constant: the batch is copied (0) if it keeps its place, else inferred
 * (-1).
 *
 * @param node the node that was added to the graph last
 */
export function withConstantShape(g: GraphBuilder, node: Node): Node | undefined {
  const [x, y] = [node.inputs[0]!, node.outputs[0]!];
  if (node.op !== 'Reshape' || !g.knows(x) || !g.knows(y)) return undefined;
  const [from, to] = [g.shape(x), g.shape(y)];
  if (to.filter((d) => d < 0).length !== 1 || to.includes(0)) return undefined;
  const shape = to.map((d, i) => (d > 0 ? d : d === from[i] ? 0 : -1));
  return { ...node, inputs: [x, g.ints(shape)], attributes: {} };
}
