import { fromBinary } from '@bufbuild/protobuf';
import { InputError } from '../errors.ts';
import { type DType, dtypes, sizeOf, type Tensor, type TensorData } from '../tensor.ts';
import { dtypeOfCode } from './dtype.ts';
import {
  type AttributeDef,
  AttributeDef_Type,
  type Model,
  ModelSchema,
  type NodeDef,
  type TensorDef,
  type ValueInfo as ValueInfoDef,
} from './generated/onnx_pb.js';
import type { Attribute, Graph, Node, ValueInfo } from './graph.ts';

/** What a model may be at most; beyond it the file is refused before anything else looks at it. */
export interface ReadLimits {
  readonly bytes: number;
  readonly nodes: number;
}

export const defaultLimits: ReadLimits = { bytes: 2 ** 31 - 1, nodes: 100_000 };

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
  const model = parse(bytes);
  const { graph } = model;
  if (!graph || graph.node.length === 0)
    throw new InputError('invalid_model', 'the file is not an ONNX model: it has no graph');
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

  const constants = new Map<string, Tensor>();
  for (const initializer of graph.initializer)
    constants.set(initializer.name ?? '', readTensor(initializer, initializer.name ?? ''));
  return {
    graph: {
      name: graph.name ?? '',
      opset: opsetOf(model),
      inputs: graph.input.filter((input) => !constants.has(input.name ?? '')).map(readValueInfo),
      outputs: graph.output.map((output) => output.name ?? ''),
      nodes: graph.node.map(readNode),
      constants,
    },
    producer: [model.producerName, model.producerVersion].filter(Boolean).join(' '),
    metadata: new Map(model.metadataProps.map(({ key = '', value = '' }) => [key, value])),
  };
}

function parse(bytes: Uint8Array): Model {
  try {
    return fromBinary(ModelSchema, bytes);
  } catch {
    throw new InputError('invalid_model', 'the file is not an ONNX model, or it is truncated');
  }
}

function opsetOf(model: Model): number {
  const standard = model.opsetImport.find(({ domain = '' }) => domain === '' || domain === 'ai.onnx');
  const version = Number(standard?.version ?? 0);
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
  const attributes: Record<string, Attribute> = {};
  for (const attribute of node.attribute) {
    if (attribute.g || attribute.graphs.length > 0)
      throw new InputError(
        'model_unsupported_op',
        `node ${quoted(name)} (${op}) holds a sub-graph: control flow is not supported`,
      );
    const value = readAttribute(attribute, name);
    if (value !== undefined) attributes[attribute.name ?? ''] = value;
  }
  return { op, name, inputs: node.input, outputs: node.output, attributes };
}

function readAttribute(attribute: AttributeDef, node: string): Attribute | undefined {
  switch (attribute.type ?? typeByContent(attribute)) {
    case AttributeDef_Type.FLOAT:
      return { float: attribute.f ?? 0 };
    case AttributeDef_Type.INT:
      return Number(attribute.i ?? 0n);
    case AttributeDef_Type.STRING:
      return decode(attribute.s);
    case AttributeDef_Type.FLOATS:
      return { floats: attribute.floats };
    case AttributeDef_Type.INTS:
      return attribute.ints.map(Number);
    case AttributeDef_Type.STRINGS:
      return attribute.strings.map(decode);
    case AttributeDef_Type.TENSOR:
      return attribute.t ? { tensor: readTensor(attribute.t, `${node}.${attribute.name}`) } : undefined;
    default:
      throw new InputError(
        'invalid_model',
        `node ${quoted(node)}: attribute ${quoted(attribute.name ?? '')} has an unsupported type`,
      );
  }
}

/** Very old files do not say the type of an attribute. */
function typeByContent(attribute: AttributeDef): AttributeDef_Type {
  if (attribute.f !== undefined) return AttributeDef_Type.FLOAT;
  if (attribute.i !== undefined) return AttributeDef_Type.INT;
  if (attribute.s !== undefined) return AttributeDef_Type.STRING;
  if (attribute.t !== undefined) return AttributeDef_Type.TENSOR;
  if (attribute.floats.length > 0) return AttributeDef_Type.FLOATS;
  return attribute.strings.length > 0 ? AttributeDef_Type.STRINGS : AttributeDef_Type.INTS;
}

const utf8 = new TextDecoder();
const decode = (bytes: Uint8Array | undefined): string => utf8.decode(bytes ?? new Uint8Array());

function readTensor(def: TensorDef, name: string): Tensor {
  if (def.dataLocation === 1 || def.externalData.length > 0)
    throw new InputError(
      'model_external_data_forbidden',
      `tensor ${quoted(name)} keeps its data in another file; a model must be one file`,
    );
  const dtype = dtypeOfCode[def.dataType ?? 0];
  if (!dtype)
    throw new InputError(
      'invalid_model',
      `tensor ${quoted(name)} has element type ${def.dataType}, which is not supported`,
    );
  const shape = def.dims.map(Number);
  const size = sizeOf(shape);
  if (shape.some((d) => d < 0) || !Number.isSafeInteger(size))
    throw new InputError('invalid_model', `tensor ${quoted(name)} has shape [${shape}]`);
  const data = readData(def, dtype);
  if (data.length !== size)
    throw new InputError(
      'invalid_model',
      `tensor ${quoted(name)}: shape [${shape}] needs ${size} elements, the file holds ${data.length}`,
    );
  return { dtype, shape, data };
}

function readData(def: TensorDef, dtype: DType): TensorData {
  const Data = dtypes[dtype];
  if (def.rawData !== undefined && def.rawData.length > 0) {
    const { buffer, byteOffset, byteLength } = def.rawData;
    const length = Math.floor(byteLength / Data.BYTES_PER_ELEMENT);
    const aligned = byteOffset % Data.BYTES_PER_ELEMENT === 0;
    return aligned
      ? new Data(buffer as ArrayBuffer, byteOffset, length)
      : new Data(new Uint8Array(def.rawData).buffer, 0, length);
  }
  switch (dtype) {
    case 'float32':
      return Float32Array.from(def.floatData);
    case 'float64':
      return Float64Array.from(def.doubleData);
    case 'int64':
      return BigInt64Array.from(def.int64Data);
    case 'uint64':
      return BigUint64Array.from(def.uint64Data);
    case 'uint32':
      return Uint32Array.from(def.uint64Data, Number);
    default:
      return (Data as Uint8ArrayConstructor).from(def.int32Data) as TensorData;
  }
}

function readValueInfo(info: ValueInfoDef): ValueInfo {
  const type = info.type?.tensorType;
  const dtype = dtypeOfCode[type?.elemType ?? 0];
  const name = info.name ?? '';
  if (!type || !dtype)
    throw new InputError('invalid_model', `input ${quoted(name)} is not a tensor of a supported type`);
  const shape = (type.shape?.dim ?? []).map((d, i) =>
    d.dimValue !== undefined && d.dimValue > 0n ? Number(d.dimValue) : d.dimParam || `dim${i}`,
  );
  return { name, dtype, shape };
}

/** Names come from a stranger's file: control characters are escaped and the length bounded. */
export const quoted = (name: string): string =>
  JSON.stringify(name.length > 80 ? `${name.slice(0, 77)}...` : name);

const listed = (names: readonly string[]): string =>
  names.slice(0, 5).map(quoted).join(', ') + (names.length > 5 ? ', ...' : '');
