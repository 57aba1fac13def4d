import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import type { OperatorName } from '../../onnx/operator-names.ts';
import { operators } from '../../operators/table.ts';

// Rules split a layer's input into its positive and its negative part. After a ReLU there is no negative part, which
// saves half of the work.

const always: ReadonlySet<OperatorName> = new Set<OperatorName>([
  'Relu',
  'Sigmoid',
  'HardSigmoid',
  'Softmax',
  'Softplus',
  'Abs',
  'Exp',
  'Sqrt',
]);
/** Operators that keep values non-negative: averages, sums, and those that choose elements. */
const keeping: ReadonlySet<OperatorName> = new Set<OperatorName>([
  'MaxPool',
  'GlobalMaxPool',
  'AveragePool',
  'GlobalAveragePool',
  'ReduceMax',
  'ReduceMean',
  'ReduceSum',
  'Add',
  'Sum',
]);

/** Whether no element of a value can be negative, as far as the operators that make it show. */
export function isNonNegative(g: GraphBuilder, value: Value, known = new Map<Value, boolean>()): boolean {
  const before = known.get(value);
  if (before !== undefined) return before;
  const node = g.maker(value);
  const result =
    node === undefined
      ? !g.dependsOnInputs(value) && (g.elements(value)?.every((v) => v >= 0) ?? false)
      : always.has(node.op) ||
        (node.op === 'Clip' && isNonNegative(g, node.inputs[1] ?? '', known)) ||
        ((keeping.has(node.op) || operators[node.op].movement !== 'no') &&
          node.inputs.slice(0, operators[node.op].data).every((input) => isNonNegative(g, input, known)) &&
          (node.op !== 'Pad' || !node.inputs[2] || isNonNegative(g, node.inputs[2], known)));
  known.set(value, result);
  return result;
}
