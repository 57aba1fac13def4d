import type { Value } from '../onnx/builder.ts';
import type { Node } from '../onnx/graph.ts';

/** Returns the required inputs of an operator. @throws RangeError */
export function required(node: Node, count: number): Value[] {
  const inputs = node.inputs.slice(0, count);
  if (inputs.length < count || inputs.includes('')) throw new RangeError(`${count} inputs are needed`);
  return inputs;
}

export const optional = (node: Node, i: number): Value | undefined => node.inputs[i] || undefined;
