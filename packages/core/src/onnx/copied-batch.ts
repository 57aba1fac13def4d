import type { GraphBuilder } from './builder.ts';
import type { Node } from './graph.ts';

/**
 * A Reshape that leaves the batch where it is, with its shape as a constant that copies the batch (0): ONNX Runtime
 * follows such a shape, and loses the batch of one that is computed or found (-1). It plans memory by shapes, and takes
 * twice as long to load a transformer whose batch has a new name after each layer.
 *
 * @param node as it was added to the graph last
 */
export function copyingBatch(g: GraphBuilder, node: Node): Node | undefined {
  const [x, y] = [node.inputs[0]!, node.outputs[0]!];
  if (node.op !== 'Reshape' || !g.knows(x) || !g.knows(y)) return undefined;
  const [from, to] = [g.shape(x), g.shape(y)];
  const axis = to.findIndex((d) => d < 0);
  if (axis < 0 || from[axis] !== to[axis] || to.some((d, i) => d <= 0 && i !== axis)) return undefined;
  return { ...node, inputs: [x, g.ints(to.map((d) => Math.max(d, 0)))], attributes: {} };
}
