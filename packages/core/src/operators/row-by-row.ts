import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { isFloat } from '../onnx/dtype.ts';
import { reshape } from '../onnx/emit.ts';
import { type Node, type Spelling, takenBySpelling } from '../onnx/graph.ts';
import { sizeOf } from '../tensor.ts';
import type { InputAxes } from './rows.ts';
import { operators } from './table.ts';

/** Finds the input rows that make rows along `axis` of a node's output; `undefined`: not row by row. */
export function rowsOf(g: GraphBuilder, node: Node, axis: number): InputAxes | undefined {
  if (![...node.inputs, ...node.outputs].every((value) => value === '' || g.knows(value))) return undefined;
  if (node.spelling && isBoundToShape(g, node.spelling)) return undefined;
  return operators[node.op].rows?.(g, node, axis);
}

/** Tells whether a function's spelling is bound to its shape in the file, by a reshape or a constant of its size. */
const isBoundToShape = (g: GraphBuilder, spelling: Spelling): boolean =>
  spelling.nodes.some(({ op }) => op === 'Reshape' || op === 'Expand') ||
  takenBySpelling(spelling).some(
    (value) => value !== '' && isFloat(g.dtype(value)) && sizeOf(g.shape(value)) !== 1,
  );

/** Repeats a node on the rows of its inputs from which `count` rows along `axis` of its output are made. */
export function again(g: GraphBuilder, node: Node, inputs: readonly Value[], axis: number, count: number) {
  const shape = g.shape(node.outputs[0]!).map((d, i) => (i === axis ? count : d));
  return node.op === 'Reshape' ? reshape(g, inputs[0]!, shape) : g.copy(node, inputs)[0]!;
}
