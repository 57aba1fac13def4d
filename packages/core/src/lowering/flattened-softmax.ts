import { int } from '../onnx/graph.ts';
import { keep, type Upgrade } from './upgraded.ts';

/** Raises a Softmax before opset 13, which flattened its input to two dimensions at `axis`. */
export const flattenedSoftmax: Upgrade = (g, node, opset) => {
  if (opset >= 13) return keep(node);
  const x = node.inputs[0]!;
  const rank = g.shape(x).length;
  const axis = int(node, 'axis', 1);
  if (axis === rank - 1 || axis === -1) return keep({ ...node, attributes: { axis: -1 } });
  const flat = g.emit('Flatten', [x], { axis });
  const soft = g.emit(node.op, [flat], { axis: -1 });
  return keep({
    op: 'Reshape',
    name: node.name,
    inputs: [soft, g.emit('Shape', [x])],
    outputs: node.outputs,
    attributes: {},
  });
};
