import { fromBinary } from '@bufbuild/protobuf';
import { InputError } from '../errors.ts';
import { type GraphFile, graphFileOf, weightsBeside } from '../graph-file.ts';
import { byteLengthOf, type Tensor } from '../tensor.ts';
import {
  type GraphDef,
  type Model,
  ModelSchema,
  type TensorDef,
  type ValueInfo as ValueInfoDef,
} from './generated/onnx_pb.js';
import type { Graph, ValueInfo } from './graph.ts';
import { defaultLimits, largestFile, type ReadLimits } from './limits.ts';
import { listed, printable, quoted } from './names.ts';
import { checkOrder } from './order.ts';
import { otherFormat } from './other-formats.ts';
import { countNodes, orRefusal, readNodes } from './read-nodes.ts';
import { externalData, survey } from './survey.ts';
import { readTensor } from './tensor-data.ts';
import { valueInfoOf } from './value-info.ts';

export interface ModelFile {
  readonly graph: Graph;
  /** Outputs that are not read because a node or weight they depend on is refused, and the reason. */
  readonly refused: ReadonlyMap<string, InputError>;
  readonly producer: string;
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * Reads an ONNX file into a graph whose nodes still have the file's opset (see `upgrade`).
 *
 * A model is data. It is refused, with the name of the cause, if it refers to data outside its file, if it holds
 * functions or sparse tensors, or if each output depends on control flow or on operators of another domain.
 *
 * @throws InputError invalid_model, model_external_data_forbidden, model_unsupported_op, model_too_large
 */
export function readModel(given: Uint8Array | GraphFile, limits: ReadLimits = defaultLimits): ModelFile {
  const file = graphFileOf(given);
  if (file.bytes.length > largestFile)
    throw new InputError(
      'model_too_large',
      `the model's file has ${file.bytes.length} bytes, at most ${largestFile} are allowed; save its weights beside it`,
    );
  const size = file.bytes.length + weightsBeside(file);
  if (size > limits.bytes)
    throw new InputError(
      'model_too_large',
      `the model has ${size} bytes, at most ${limits.bytes} are allowed`,
    );
  const { model, graph } = parse(file, limits);
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
  const constants = readWeights(graph.initializer, file, limits, unread);
  const nodes = readNodes(graph.node, unread);
  const outputs = graph.output.map((output) => output.name ?? '');
  const refused = new Map(outputs.flatMap((name) => (unread.has(name) ? [[name, unread.get(name)!]] : [])));
  // Refused outputs are left out; if no other output is left, the first refusal is thrown.
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

/** @throws InputError that says what the file is, if it is of a known format other than ONNX */
function parse(
  { bytes, weights }: GraphFile,
  limits: ReadLimits,
): { readonly model: Model; readonly graph: GraphDef } {
  try {
    // A weight lies directly in the model's graph: its data may lie beside the file, if they came with it.
    const parsed = survey(bytes, ({ name, within }) => {
      if (weights.size === 0 || within.length !== 1) throw externalData(name);
    });
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

/** Reads the weights; `unread` gets the reason for each refused weight. */
function readWeights(
  initializers: readonly TensorDef[],
  { weights: beside }: GraphFile,
  { weights }: ReadLimits,
  unread: Map<string, InputError>,
): Map<string, Tensor> {
  const constants = new Map<string, Tensor>();
  let total = 0;
  for (const initializer of initializers) {
    const name = initializer.name ?? '';
    if (constants.has(name) || unread.has(name))
      throw new InputError('invalid_model', `the model has two weights of the name ${quoted(name)}`);
    const tensor = orRefusal(() => readTensor(initializer, name, beside));
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

/** Reads the inputs except weights: older files list their weights among the inputs. */
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
