import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { add, div, mean, mul, shift } from '../../onnx/emit.ts';
import { float, int, type Node, real } from '../../onnx/graph.ts';
import { axisOf } from '../../operators/shape/rule.ts';
import { flattenedSoftmax } from '../flattened-softmax.ts';
import { optional, required } from '../operands.ts';
import { keep, type Upgrade } from '../upgraded.ts';
import { newName } from './named.ts';

/**
 * Makes the sum of two residual branches, a value that exporters name. A fused bias belongs to the branch that is a
 * product: the rules of LRP distribute relevance over summands.
 */
function residual(g: GraphBuilder, node: Node, bias: Value | undefined): Node {
  const branches = required(node, 2) as [Value, Value];
  const products = branches.map((value) => g.maker(value)?.op === 'MatMul');
  const biased = products[1] && !products[0] ? 1 : 0;
  const inputs = branches.map((value, i) => (bias && i === biased ? add(g, value, bias) : value));
  const sum = node.outputs[3] || newName(g, `${node.outputs[0]}/sum`);
  return { op: 'Add', name: sum, inputs, outputs: [sum], attributes: {} };
}

/** Makes x over the root of its mean square, times a scale, and 1 over that root if it is asked for. */
function rootMeanSquare(g: GraphBuilder, node: Node, x: Value, scale: Value, inverse: Value): Node[] {
  const rank = g.shape(x).length;
  const first = axisOf(int(node, 'axis', -1), rank);
  const axes = Array.from({ length: rank - first }, (_, i) => first + i);
  const root = g.emit('Sqrt', [shift(g, mean(g, mul(g, x, x), axes), real(node, 'epsilon', 1e-5))]);
  const y = div(g, x, root);
  const made: Node = {
    op: 'Mul',
    name: node.name,
    inputs: [y, scale],
    outputs: [node.outputs[0]!],
    attributes: {},
  };
  return inverse === ''
    ? [made]
    : [
        made,
        {
          op: 'Reciprocal',
          name: `${node.name}/inverse`,
          inputs: [root],
          outputs: [inverse],
          attributes: {},
        },
      ];
}

export const normalizations = {
  'com.microsoft.LayerNormalization': (_, node) => keep({ ...node, op: 'LayerNormalization' }),
  'com.microsoft.SimplifiedLayerNormalization'(g, node) {
    const [x, scale] = required(node, 2) as [Value, Value];
    return { nodes: rootMeanSquare(g, node, x, scale, node.outputs[1] ?? '') };
  },
  'com.microsoft.SkipLayerNormalization'(g, node) {
    const scale = required(node, 3)[2]!;
    const [beta, bias] = [optional(node, 3), optional(node, 4)];
    const sum = residual(g, node, bias);
    const outputs = node.outputs.slice(0, 3);
    while (outputs.at(-1) === '') outputs.pop();
    const normal: Node = {
      op: 'LayerNormalization',
      name: node.name,
      inputs: [sum.outputs[0]!, scale, ...(beta ? [beta] : [])],
      outputs,
      attributes: { axis: -1, epsilon: float(real(node, 'epsilon', 1e-12)) },
    };
    return { parts: [sum, normal] };
  },
  'com.microsoft.SkipSimplifiedLayerNormalization'(g, node) {
    const scale = required(node, 3)[2]!;
    const sum = residual(g, node, optional(node, 3));
    const normal: Node = {
      op: 'com.microsoft.SimplifiedLayerNormalization',
      name: node.name,
      inputs: [sum.outputs[0]!, scale],
      outputs: [node.outputs[0]!, node.outputs[2] ?? ''],
      attributes: { axis: -1, epsilon: float(real(node, 'epsilon', 1e-12)) },
    };
    return { parts: [sum, normal] };
  },
  /** softmax(x + bias) over all axes from `axis` on */
  'com.microsoft.BiasSoftmax'(g, node) {
    const [x, bias] = required(node, 2) as [Value, Value];
    const inputs = [add(g, x, bias)];
    const attributes = { axis: int(node, 'axis', 1) };
    const outputs = node.outputs.slice(0, 1);
    return flattenedSoftmax(g, { op: 'Softmax', name: node.name, inputs, outputs, attributes }, 1);
  },
} satisfies Record<string, Upgrade>;
