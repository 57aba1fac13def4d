import { InputError } from '../errors.ts';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { ShapeError } from '../onnx/fact.ts';
import type { Body, Node } from '../onnx/graph.ts';
import { quoted } from '../onnx/names.ts';

// Exporters write an If that depends on shapes only: `squeeze` changes nothing if the axis is longer than one.

/** Lists every value that nodes make, in branches too. */
export const valuesOf = (nodes: readonly Node[]): Value[] =>
  nodes.flatMap((node) => [...node.outputs, ...branchesOf(node).flatMap(({ nodes }) => valuesOf(nodes))]);

const branchesOf = ({ attributes }: Node): Body[] =>
  Object.values(attributes).flatMap((value) =>
    typeof value === 'object' && 'body' in value ? [value.body] : [],
  );

/**
 * Finds the branch that an If takes for every image.
 *
 * @throws InputError model_unsupported_op if it depends on computed values; ShapeError for an If without branches
 */
export function branchTaken(g: GraphBuilder, node: Node, resolve: (name: Value) => Value): Body {
  const condition = resolve(node.inputs[0] ?? '');
  const [holds, another] = (g.knows(condition) && g.elements(condition)) || [];
  if (holds === undefined || another !== undefined)
    throw new InputError(
      'model_unsupported_op',
      `node ${quoted(node.name)} (If) takes a branch by what it computes: control flow is not supported`,
    );
  const branch = node.attributes[holds ? 'then_branch' : 'else_branch'];
  const body = typeof branch === 'object' && 'body' in branch ? branch.body : undefined;
  if (!body || body.outputs.length !== node.outputs.length)
    throw new ShapeError(`node ${quoted(node.name)}: its branch gives other outputs than it has`);
  return body;
}
