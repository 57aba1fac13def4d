import { fromBinary } from '@bufbuild/protobuf';
import { InputError } from '../errors.ts';
import type { Tensor } from '../tensor.ts';
import { readAttribute } from './attribute.ts';
import { dtypeOfCode } from './dtype.ts';
import {
  type GraphDef,
  type Model,
  ModelSchema,
  type NodeDef,
  type TensorDef,
  type ValueInfo as ValueInfoDef,
} from './generated/onnx_pb.js';
import type { Attribute, Graph, Node, ValueInfo } from './graph.ts';
import { listed, printable, quoted } from './names.ts';
import { isStandardOperator } from './operator-names.ts';
import { checkOrder } from './order.ts';
import { otherFormat } from './other-formats.ts';
import { survey } from './survey.ts';
import { readTensor } from './tensor-data.ts';

/** What a model may be at most; beyond it the file is refused before anything else looks at it. */
export interface ReadLimits {
  readonly bytes: number;
  readonly nodes: number;
  /** Memory that the parsed file may take beside its weights, in bytes. */
  readonly parsed: number;
  /** Bytes of all weights, float16 as the float32 that it becomes: what an explainer's file has to hold. */
  readonly weights: number;
  /** Elements per image that one value of the graph may have. */
  readonly elements: number;
}

export const defaultLimits: ReadLimits = {
  bytes: 2 ** 31 - 1,
  nodes: 100_000,
  parsed: 2 ** 30,
  weights: 2 ** 31 - 1,
  elements: 2 ** 26,
};

export interface ModelFile {
  readonly graph: Graph;
  readonly producer: string;
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * Reads an ONNX file into a graph whose nodes are still those of the file's opset (see `upgrade`).
 *
 * A model is data, and it is refused by name when it reaches outside itself (external data anywhere), when it
 * holds control flow, functions, sparse tensors or operators of another domain.
 *
 * @throws InputError invalid_model, model_external_data_forbidden, model_unsupported_op, model_too_large
 */
export function readModel(bytes: Uint8Array, limits: ReadLimits = defaultLimits): ModelFile {
  if (bytes.length > limits.bytes)
    throw new InputError(
      'model_too_large',
      `the model has ${bytes.length} bytes, at most ${limits.bytes} are allowed`,
    );
  const { model, graph } = parse(bytes, limits);
  if (graph.node.length > limits.nodes)
    throw new InputError(
      'model_too_large',
      `the model has ${graph.node.length} nodes, at most ${limits.nodes} are allowed`,
    );
  if (model.functions.length > 0)
    throw new InputError(
      'model_unsupported_op',
      `the model defines functions of its own (${listed(model.functions.map((f) => f.name ?? ''))}); export it with functions inlined`,
    );
  if (graph.sparseInitializer.length > 0)
    throw new InputError('invalid_model', 'the model has sparse weights, which are not supported');

  const constants = readWeights(graph.initializer, limits);
  const read: Graph = {
    name: graph.name ?? '',
    opset: opsetOf(model),
    inputs: inputsOf(graph.input, constants),
    outputs: graph.output.map((output) => output.name ?? ''),
    nodes: graph.node.map(readNode),
    constants,
    declared: new Map(
      [...graph.valueInfo, ...graph.output].flatMap((info) => {
        const known = valueInfoOf(info);
        return known ? [[known.name, known]] : [];
      }),
    ),
  };
  checkOrder(read);
  return {
    graph: read,
    producer: printable([model.producerName, model.producerVersion].filter(Boolean).join(' ')),
    metadata: new Map(model.metadataProps.map(({ key = '', value = '' }) => [key, value])),
  };
}

/** @throws InputError that says what the file is, where it is known and no ONNX model */
function parse(bytes: Uint8Array, limits: ReadLimits): { readonly model: Model; readonly graph: GraphDef } {
  try {
    const parsed = survey(bytes);
    if (parsed > limits.parsed)
      throw new InputError(
        'model_too_large',
        `the model would take ${parsed} bytes of memory once parsed, at most ${limits.parsed} are allowed`,
      );
    const model = fromProtobuf(bytes);
    const { graph } = model;
    if (graph && graph.node.length > 0) return { model, graph };
    throw new InputError('invalid_model', 'the file is not an ONNX model: it has no graph');
  } catch (error) {
    const other = error instanceof InputError ? otherFormat(bytes) : undefined;
    throw other ? new InputError('invalid_model', other) : error;
  }
}

function fromProtobuf(bytes: Uint8Array): Model {
  try {
    return fromBinary(ModelSchema, bytes, { readUnknownFields: false });
  } catch {
    throw new InputError('invalid_model', 'the file is not an ONNX model, or it is truncated');
  }
}

function readWeights(initializers: readonly TensorDef[], { weights }: ReadLimits): Map<string, Tensor> {
  const constants = new Map<string, Tensor>();
  let total = 0;
  for (const initializer of initializers) {
    const name = initializer.name ?? '';
    if (constants.has(name))
      throw new InputError('invalid_model', `the model has two weights of the name ${quoted(name)}`);
    const tensor = readTensor(initializer, name);
    constants.set(name, tensor);
    total += tensor.data.length * (tensor.dtype === 'float16' ? 4 : tensor.data.BYTES_PER_ELEMENT);
  }
  if (total > weights)
    throw new InputError(
      'model_too_large',
      `the model's weights take ${total} bytes, at most ${weights} are allowed`,
    );
  return constants;
}

/** What is to be fed: older files list their weights among the inputs. */
function inputsOf(inputs: readonly ValueInfoDef[], constants: ReadonlyMap<string, Tensor>): ValueInfo[] {
  const seen = new Set<string>();
  const fed = inputs.filter((input) => !constants.has(input.name ?? '')).map(readValueInfo);
  for (const { name } of fed) {
    if (seen.has(name))
      throw new InputError('invalid_model', `the model has two inputs of the name ${quoted(name)}`);
    seen.add(name);
  }
  return fed;
}

function opsetOf(model: Model): number {
  const standard = model.opsetImport.filter(({ domain = '' }) => domain === '' || domain === 'ai.onnx');
  const version = Number(standard[0]?.version ?? 0);
  const other = standard.find((set) => set.version !== standard[0]!.version);
  if (other)
    throw new InputError(
      'invalid_model',
      `the model asks for opset ${version} and for opset ${other.version}`,
    );
  if (version < 7 || version > 26)
    throw new InputError('invalid_model', `the model asks for opset ${version}; 7 to 26 are supported`);
  return version;
}

function readNode(node: NodeDef, index: number): Node {
  const op = node.opType ?? '';
  const name = node.name || `${op}_${index}`;
  if (node.domain && node.domain !== 'ai.onnx')
    throw new InputError(
      'model_unsupported_op',
      `node ${quoted(name)} is ${quoted(`${node.domain}.${op}`)}: only operators of the standard ONNX domain are supported`,
    );
  if (!isStandardOperator(op))
    throw new InputError(
      'model_unsupported_op',
      `node ${quoted(name)} is ${quoted(op)}, which is no ONNX operator`,
    );
  const attributes = new Map<string, Attribute>();
  for (const attribute of node.attribute) {
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

function readValueInfo(info: ValueInfoDef): ValueInfo {
  const known = valueInfoOf(info);
  if (!known)
    throw new InputError(
      'invalid_model',
      `input ${quoted(info.name ?? '')} is not a tensor of a supported type`,
    );
  return known;
}

function valueInfoOf(info: ValueInfoDef): ValueInfo | undefined {
  const type = info.type?.tensorType;
  const dtype = dtypeOfCode[type?.elemType ?? 0];
  if (!type || !dtype) return undefined;
  const shape = (type.shape?.dim ?? []).map((d, i) =>
    d.dimValue !== undefined && d.dimValue > 0n ? Number(d.dimValue) : printable(d.dimParam || `dim${i}`),
  );
  return { name: info.name ?? '', dtype, shape };
}
