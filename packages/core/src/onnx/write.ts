import type { MessageInitShape } from '@bufbuild/protobuf';
import { create, toBinary } from '@bufbuild/protobuf';
import { InputError } from '../errors.ts';
import type { GraphFile } from '../graph-file.ts';
import { byteLengthOf, bytesOf, type Tensor } from '../tensor.ts';
import { codeOfDtype } from './dtype.ts';
import {
  AttributeDef_Type,
  type AttributeDefSchema,
  type GraphDefSchema,
  ModelSchema,
  type NodeDefSchema,
  type TensorDefSchema,
} from './generated/onnx_pb.js';
import {
  type Attribute,
  type Body,
  type Graph,
  integers,
  type Node,
  reachable,
  toInt64,
  usesOf,
  type ValueInfo,
} from './graph.ts';
import { largestFile } from './limits.ts';
import { quoted } from './names.ts';

/** Reductions whose axes became an input only with opset 18 (ReduceSum had them since 13). */
const axesInputSince18 = /^Reduce(?!Sum$)/;

/** Fewest bytes for which `writeApart` puts a weight outside the file. */
const large = 2 ** 20;

/**
 * Writes a graph as an ONNX file, without the nodes and constants that its outputs do not need.
 * `outputs` gives the types of the graph's outputs, which an ONNX file must state.
 *
 * @throws InputError model_too_large for weights that one file cannot have
 */
export const writeModel = (
  graph: Graph,
  outputs: readonly ValueInfo[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array => {
  const bytes = Array.from(usedConstants(graph), ([, value]) => byteLengthOf(value)).reduce(
    (a, b) => a + b,
    0,
  );
  if (bytes > largestFile)
    throw new InputError(
      'model_too_large',
      `one ONNX file has at most ${largestFile} bytes, and this one would have ${bytes} of weights; "whylight explain" and "whylight attribute" need no such file`,
    );
  return written(graph, outputs, writeTensor, metadata);
};

/** Writes a graph likewise, with large weights beside the file. */
export function writeApart(graph: Graph, outputs: readonly ValueInfo[]): GraphFile {
  const weights = new Map<string, Uint8Array>();
  const bytes = written(graph, outputs, (name, value) => {
    const data = bytesOf(value);
    if (data.byteLength < large) return writeTensor(name, value);
    const location = `weights_${weights.size}`;
    weights.set(location, data);
    return {
      ...{ name, dims: value.shape.map(BigInt), dataType: codeOfDtype[value.dtype], dataLocation: 1 },
      externalData: [{ key: 'location', value: location }],
    };
  });
  return { bytes, weights };
}

function written(
  graph: Graph,
  outputs: readonly ValueInfo[],
  writeWeight: (name: string, value: Tensor) => MessageInitShape<typeof TensorDefSchema>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const nodes = namedApart(reachable(graph.nodes, graph.outputs).map((node) => lower(node, graph)));
  const initializers = usedConstants(graph, nodes);
  const model = create(ModelSchema, {
    irVersion: graph.opset >= 21 ? 10n : 8n,
    producerName: 'whylight',
    opsetImport: [{ domain: '', version: BigInt(graph.opset) }],
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    graph: {
      name: graph.name || 'explainer',
      node: nodes.map(writeNode),
      initializer: initializers.map(([name, value]) => writeWeight(name, value)),
      input: graph.inputs.map(writeValueInfo),
      output: outputs.map(writeValueInfo),
      valueInfo: known(nodes, graph.outputs),
    },
  });
  return toBinary(ModelSchema, model);
}

function usedConstants(
  graph: Graph,
  nodes: readonly Node[] = reachable(graph.nodes, graph.outputs),
): [name: string, value: Tensor][] {
  const used = new Set([...nodes.flatMap(usesOf), ...graph.outputs]);
  return [...graph.constants].filter(([name]) => used.has(name));
}

/**
 * Gives each node a unique name, also in bodies: ONNX Runtime refuses a graph in which two nodes share a name. A file
 * may have no names at all, and then the names that reading gives can be equal to names that the engine makes up.
 */
function namedApart(nodes: readonly Node[], taken = new Set<string>()): Node[] {
  const given = new Set(nodes.map(({ name }) => name));
  return nodes.map((node) => {
    let name = node.name;
    for (let serial = 1; taken.has(name) || (name !== node.name && given.has(name)); serial++)
      name = `${node.name}_${serial}`;
    if (name !== '') taken.add(name);
    const attributes = Object.entries(node.attributes).map(([key, value]): [string, Attribute] => [
      key,
      typeof value === 'object' && 'body' in value
        ? { body: { ...value.body, nodes: namedApart(value.body.nodes, taken) } }
        : value,
    ]);
    return { ...node, name, attributes: Object.fromEntries(attributes) };
  });
}

function lower(node: Node, graph: Graph): Node {
  if (graph.opset >= 18 || !axesInputSince18.test(node.op) || !node.inputs[1]) return node;
  const axes = graph.constants.get(node.inputs[1]);
  if (!axes)
    throw new InputError(
      'invalid_model',
      `node ${quoted(node.name)} (${node.op}): its axes are computed, which opset ${graph.opset} does not allow`,
    );
  const { noop_with_empty_axes: _, ...attributes } = node.attributes;
  return { ...node, inputs: node.inputs.slice(0, 1), attributes: { ...attributes, axes: integers(axes) } };
}

const writeNode = (node: Node): MessageInitShape<typeof NodeDefSchema> => ({
  opType: node.op,
  name: node.name,
  input: [...node.inputs],
  output: [...node.outputs],
  attribute: Object.entries(node.attributes).map(([name, value]) => writeAttribute(name, value)),
});

const writeBody = ({ name, nodes, inputs, outputs }: Body): MessageInitShape<typeof GraphDefSchema> => ({
  name,
  node: nodes.map(writeNode),
  input: inputs.map(writeValueInfo),
  output: outputs.map(writeValueInfo),
  valueInfo: known(
    nodes,
    outputs.map((output) => output.name),
  ),
});

/**
 * Writes the types of values inside a graph. ONNX Runtime loses the batch at a Reshape, an Expand or a sum of two
 * values of unknown batch; if it is told that the batch is the same, it finds buffers to reuse at once, and loads a
 * transformer's gradient in half the time.
 */
const known = (nodes: readonly Node[], ends: readonly string[]) =>
  nodes.flatMap(({ outputs, types = [] }) =>
    outputs.flatMap((name, i) =>
      types[i] && name !== '' && !ends.includes(name) ? writeValueInfo({ name, ...types[i] }) : [],
    ),
  );

function writeAttribute(name: string, value: Attribute): MessageInitShape<typeof AttributeDefSchema> {
  const encoder = new TextEncoder();
  if (typeof value === 'number') return { name, type: AttributeDef_Type.INT, i: toInt64(value) };
  if (typeof value === 'string') return { name, type: AttributeDef_Type.STRING, s: encoder.encode(value) };
  if (Array.isArray(value)) {
    if (typeof value[0] === 'string')
      return {
        name,
        type: AttributeDef_Type.STRINGS,
        strings: (value as string[]).map((s) => encoder.encode(s)),
      };
    return { name, type: AttributeDef_Type.INTS, ints: (value as number[]).map(toInt64) };
  }
  if ('float' in value) return { name, type: AttributeDef_Type.FLOAT, f: value.float };
  if ('body' in value) return { name, type: AttributeDef_Type.GRAPH, g: writeBody(value.body) };
  if ('floats' in value) return { name, type: AttributeDef_Type.FLOATS, floats: [...value.floats] };
  return { name, type: AttributeDef_Type.TENSOR, t: writeTensor('', (value as { tensor: Tensor }).tensor) };
}

const writeTensor = (name: string, value: Tensor): MessageInitShape<typeof TensorDefSchema> => ({
  name,
  dims: value.shape.map(BigInt),
  dataType: codeOfDtype[value.dtype],
  rawData: bytesOf(value),
});

const writeValueInfo = ({ name, dtype, shape }: ValueInfo) => ({
  name,
  type: {
    tensorType: {
      elemType: codeOfDtype[dtype],
      shape: { dim: shape.map((d) => (typeof d === 'number' ? { dimValue: BigInt(d) } : { dimParam: d })) },
    },
  },
});
