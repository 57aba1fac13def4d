import { InputError } from '../errors.ts';
import { readAttribute } from './attribute.ts';
import { foreignOperator } from './foreign-operators.ts';
import type { GraphDef, NodeDef } from './generated/onnx_pb.js';
import type { Attribute, Body, Node } from './graph.ts';
import { quoted } from './names.ts';
import { operatorOf } from './operator-names.ts';
import { readTensor } from './tensor-data.ts';
import { valueInfoOf } from './value-info.ts';

/** Returns the result of `read`, or why it is not supported. Damaged data are always refused. */
export function orRefusal<T>(read: () => T): T | InputError {
  try {
    return read();
  } catch (error) {
    if (error instanceof InputError && error.code === 'model_unsupported_op') return error;
    throw error;
  }
}

/** Counts all nodes, also in sub-graphs. */
export const countNodes = ({ node }: GraphDef): number =>
  node.reduce(
    (sum, { attribute }) => attribute.reduce((inner, { g }) => inner + (g ? countNodes(g) : 0), sum),
    node.length,
  );

/** Reads the supported nodes; `unread` gets the reason for each value of the others and each value computed from it. */
export function readNodes(nodes: readonly NodeDef[], unread: Map<string, InputError>): Node[] {
  const read: Node[] = [];
  for (const [index, def] of nodes.entries()) {
    const missing = def.input.find((name) => unread.has(name));
    const node = missing === undefined ? orRefusal(() => readNode(def, index)) : unread.get(missing)!;
    if (!(node instanceof InputError)) read.push(node);
    else for (const output of def.output) if (output !== '') unread.set(output, node);
  }
  return read;
}

function readNode(node: NodeDef, index: number): Node {
  const [type, domain] = [node.opType ?? '', node.domain ?? ''];
  const name = node.name || `${type}_${index}`;
  const op = operatorOf(domain, type);
  if (!op && domain !== '' && domain !== 'ai.onnx') throw foreignOperator(name, domain, type);
  if (!op)
    throw new InputError(
      'model_unsupported_op',
      `node ${quoted(name)} is ${quoted(type)}, which is no ONNX operator`,
    );
  const attributes = new Map<string, Attribute>();
  for (const attribute of node.attribute) {
    if (op === 'If' && attribute.g && isBranch(attribute.name)) {
      attributes.set(attribute.name!, { body: readBranch(attribute.g) });
      continue;
    }
    if (attribute.g || attribute.graphs.length > 0)
      throw new InputError(
        'model_unsupported_op',
        `node ${quoted(name)} (${op}) holds a sub-graph: control flow is not supported`,
      );
    const value = readAttribute(attribute, name);
    if (value === undefined) continue;
    if (!/^[A-Za-z]\w*$/.test(attribute.name ?? ''))
      throw new InputError(
        'invalid_model',
        `node ${quoted(name)} (${op}) has an attribute ${quoted(attribute.name ?? '')}`,
      );
    if (attributes.has(attribute.name!))
      throw new InputError(
        'invalid_model',
        `node ${quoted(name)} (${op}) has two attributes ${quoted(attribute.name!)}`,
      );
    attributes.set(attribute.name!, value);
  }
  return { op, name, inputs: node.input, outputs: node.output, attributes: Object.fromEntries(attributes) };
}

const isBranch = (name: string | undefined): boolean => name === 'then_branch' || name === 'else_branch';

/** Reads a branch of an If; its weights become nodes. */
function readBranch(graph: GraphDef): Body {
  const weights = graph.initializer.map((def): Node => {
    const name = def.name ?? '';
    const attributes = { value: { tensor: readTensor(def, name) } };
    return { op: 'Constant', name, inputs: [], outputs: [name], attributes };
  });
  if (graph.input.length > 0 || graph.sparseInitializer.length > 0)
    throw new InputError('invalid_model', 'a branch of an If has inputs or sparse weights');
  return {
    name: graph.name ?? '',
    inputs: [],
    outputs: graph.output.map((info) => {
      const { name = '' } = info;
      return valueInfoOf(info) ?? { name, dtype: 'float32', shape: [] };
    }),
    nodes: [...weights, ...graph.node.map(readNode)],
  };
}
