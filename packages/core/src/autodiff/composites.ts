import type { GraphBuilder } from '../onnx/builder.ts';
import type { Expression } from '../onnx/expression.ts';
import { int, type Node } from '../onnx/graph.ts';
import { maxPoolVjp } from '../operators/pooling.ts';
import { axisOf } from '../operators/shape/rule.ts';
import type { RuleContext } from '../operators/vjp/rule.ts';
import type { Composites, Composition } from './composition.ts';

// Functions of several operators whose joint derivative is cheaper than the derivatives of the operators in turn.

/** max(relu(x)): a cotangent gated at the maxima needs no gates at the elements that they were chosen from. */
function maxOfRelu(g: GraphBuilder, node: Node): Composition | undefined {
  const relu = g.maker(node.inputs[0]!);
  if (relu?.op !== 'Relu') return undefined;
  return {
    xs: [relu.inputs[0]!],
    inner: [relu],
    vjp: (c) => [maxPoolVjp({ ...c, dy: open(c) })],
  };
}

/** concat(relu(x₁), relu(x₂), …): one gate serves all the ReLUs. */
function concatOfRelus(g: GraphBuilder, node: Node): Composition | undefined {
  const relus = node.inputs.flatMap((input) => g.maker(input) ?? []).filter(({ op }) => op === 'Relu');
  if (relus.length < node.inputs.length || relus.length < 2) return undefined;
  const axis = axisOf(int(node, 'axis', 0), g.shape(node.inputs[0]!).length);
  const lengths = node.inputs.map((input) => g.shape(input)[axis]!);
  if (lengths.some((length) => length < 0)) return undefined;
  return {
    xs: relus.map(({ inputs }) => inputs[0]!),
    inner: relus,
    vjp: (c) => open(c).split(axis, lengths),
  };
}

/** Gives the cotangent where the output of a ReLU is positive, 0 elsewhere. */
const open = ({ y, dy }: RuleContext): Expression => dy.gate(y.isGreater(0));

export const composites: Composites = {
  Concat: [concatOfRelus],
  MaxPool: [maxOfRelu],
};
