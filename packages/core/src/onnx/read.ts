import { fromBinary } from '@bufbuild/protobuf';
import { InputError } from '../errors.ts';
import { byteLengthOf, type Tensor } from '../tensor.ts';
import {
  type GraphDef,
  type Model,
  ModelSchema,
  type TensorDef,
  type ValueInfo as ValueInfoDef,
} from './generated/onnx_pb.js';
import type { Graph, ValueInfo } from './graph.ts';
import { listed, printable, quoted } from './names.ts';
import { checkOrder } from './order.ts';
import { otherFormat } from './other-formats.ts';
import { countNodes, orRefusal, readNodes } from './read-nodes.ts';
import { survey } from './survey.ts';
import { readTensor } from './tensor-data.ts';
import { valueInfoOf } from './value-info.ts';

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
  /** Outputs that are not read, because something that leads to them is refused, and why. */
  readonly refused: ReadonlyMap<string, InputError>;
  readonly producer: string;
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * Reads an ONNX file into a graph whose nodes are still those of the file's opset (see `upgrade`).
 *
 * A model is data, and it is refused by name when it reaches outside itself (external data anywhere), when it
 * holds functions or sparse tensors, or when control flow or operators of another domain lead to each of its outputs.
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
  const count = countNodes(graph);
  if (count > limits.nodes)
    throw new InputError(
      'model_too_large',
      `the model has ${count} nodes, at most ${limits.nodes} are allowed`,
    );
  if (model.functions.length > 0)
    throw new InputError(
      'model_unsupported_op',
      `the model defines functions of its own (${listed(model.functions.map((f) => f.name ?? ''))}); export it with functions inlined`,
    );
  if (graph.sparseInitializer.length > 0)
    throw new InputError('invalid_model', 'the model has sparse weights, which are not supported');

  const unread = new Map<string, InputError>();
  const constants = readWeights(graph.initializer, limits, unread);
  const nodes = readNodes(graph.node, unread);
  const outputs = graph.output.map((output) => output.name ?? '');
  const refused = new Map(outputs.flatMap((name) => (unread.has(name) ? [[name, unread.get(name)!]] : [])));
  // What leads to no score is not looked at; where nothing else is left, it says why.
  if (refused.size > 0 && outputs.every((name) => refused.has(name))) throw refused.get(outputs[0]!)!;
  const read: Graph = {
    name: graph.name ?? '',
    opset: opsetOf(model),
    inputs: inputsOf(graph.input, new Set(graph.initializer.map(({ name }) => name ?? ''))),
    outputs: outputs.filter((name) => !refused.has(name)),
    nodes,
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
    refused,
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

/** The weights; of what is refused, `unread` says why. */
function readWeights(
  initializers: readonly TensorDef[],
  { weights }: ReadLimits,
  unread: Map<string, InputError>,
): Map<string, Tensor> {
  const constants = new Map<string, Tensor>();
  let total = 0;
  for (const initializer of initializers) {
    const name = initializer.name ?? '';
    if (constants.has(name) || unread.has(name))
      throw new InputError('invalid_model', `the model has two weights of the name ${quoted(name)}`);
    const tensor = orRefusal(() => readTensor(initializer, name));
    if (tensor instanceof InputError) {
      unread.set(name, tensor);
      continue;
    }
    constants.set(name, tensor);
    total += byteLengthOf(tensor) * (tensor.dtype === 'float16' ? 2 : 1);
  }
  if (total > weights)
    throw new InputError(
      'model_too_large',
      `the model's weights take ${total} bytes, at most ${weights} are allowed`,
    );
  return constants;
}

/** What is to be fed: older files list their weights among the inputs. */
function inputsOf(inputs: readonly ValueInfoDef[], weights: ReadonlySet<string>): ValueInfo[] {
  const seen = new Set<string>();
  const fed = inputs.filter((input) => !weights.has(input.name ?? '')).map(readValueInfo);
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

function readValueInfo(info: ValueInfoDef): ValueInfo {
  const known = valueInfoOf(info);
  if (!known)
    throw new InputError(
      'invalid_model',
      `input ${quoted(info.name ?? '')} is not a tensor of a supported type`,
    );
  return known;
}
