import type { GraphBuilder, Value } from '../../onnx/builder.ts';

// Rules split a layer's input into its positive and its negative part. Behind a ReLU there is no negative part, and
// half of the work is spared.

const always = new Set(
  'Relu Sigmoid Softmax Abs Exp Sqrt Softplus HardSigmoid ReduceL1 ReduceL2 ReduceSumSquare'.split(' '),
);
/** Of which every output is an element of the inputs, an average or a sum of elements, or zero. */
const keeping = new Set(
  'MaxPool AveragePool GlobalAveragePool GlobalMaxPool ReduceMean ReduceMax ReduceSum Reshape Flatten Squeeze Unsqueeze Transpose Concat Slice Split Gather Expand Tile Add Sum Max Cast DepthToSpace SpaceToDepth'.split(
    ' ',
  ),
);

/** Whether no element of a value can be negative, as far as the operators that make it tell. */
export function isNonNegative(g: GraphBuilder, value: Value, known = new Map<Value, boolean>()): boolean {
  const before = known.get(value);
  if (before !== undefined) return before;
  const node = g.maker(value);
  const result =
    node === undefined
      ? !g.dependsOnInputs(value) && (g.elements(value)?.every((v) => v >= 0) ?? false)
      : always.has(node.op) ||
        (node.op === 'Clip' && (g.elements(node.inputs[1] ?? '')?.every((v) => v >= 0) ?? false)) ||
        (keeping.has(node.op) &&
          dataOf(node.op, node.inputs).every((input) => isNonNegative(g, input, known)));
  known.set(value, result);
  return result;
}

/** The inputs whose elements an operator passes on, without shapes and indices. */
const dataOf = (op: string, inputs: readonly Value[]): readonly Value[] =>
  /^(Concat|Add|Sum|Max)$/.test(op) ? inputs : inputs.slice(0, 1);
