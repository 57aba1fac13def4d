import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import type { Attributes, Node } from '../../onnx/graph.ts';
import type { OperatorName } from '../../onnx/operator-names.ts';
import { keep, type Upgraded } from '../upgraded.ts';

/** Makes the last of the operators that replace a node: it gives the node's first output. */
export const named = (
  node: Node,
  op: OperatorName,
  inputs: readonly Value[],
  attributes: Attributes = {},
): Upgraded => keep({ op, name: node.name, inputs, outputs: node.outputs.slice(0, 1), attributes });

/** Makes a name that users can ask for, for a value without a name in the file. */
export function newName(g: GraphBuilder, stem: string): Value {
  const name = g.reserved.has(stem) || g.knows(stem) ? newNameBeside(g, stem) : stem;
  g.reserved.add(name);
  return name;
}

const newNameBeside = (g: GraphBuilder, stem: string): Value => {
  let serial = 1;
  while (g.reserved.has(`${stem}_${serial}`) || g.knows(`${stem}_${serial}`)) serial++;
  return `${stem}_${serial}`;
};
