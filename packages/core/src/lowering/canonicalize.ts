import type { Dim, GraphBuilder, Value } from '../onnx/builder.ts';
import { isFloat } from '../onnx/dtype.ts';
import { ShapeError } from '../onnx/fact.ts';
import { type Graph, type Node, toInt64 } from '../onnx/graph.ts';
import { quoted } from '../onnx/names.ts';
import { newGraph } from '../operators/new-graph.ts';
import { dtypes, type Tensor, type TensorData } from '../tensor.ts';
import { sizeOffImages } from './batch-size.ts';
import { branchTaken, valuesOf } from './branches.ts';
import { withConstantShape } from './constant-shape.ts';
import { recogniseFunctions } from './functions/recognise.ts';
import { upgrade } from './upgrade.ts';
import type { Upgraded } from './upgraded.ts';
import { widen } from './widen.ts';

/** A model in the canonical dialect inside a builder, ready for more nodes. */
export interface Canonical {
  readonly builder: GraphBuilder;
  /** Returns the value that a name of the file has now: removed nodes' outputs stand for other values. */
  resolve(name: Value): Value;
}

/** For each value, the function that makes its replacement in the rest of the graph. */
export type Interventions = ReadonlyMap<Value, (g: GraphBuilder, value: Value) => Value>;

/** The tolerance for a function's constants, relative: a few roundings of float32, one rounding of float16. */
const [singlePrecision, halfPrecision] = [2 ** -21, 2 ** -11];

/** The lowest opset with all operators that rules and methods emit. */
const lowest = 17;
/** The first opset whose QuantizeLinear has levels of 16 bits. */
const sixteenBits = 21;

/**
 * Copies a file's graph into a builder: one dialect, defaults spelled out, shapes known, shape arithmetic folded
 * into constants, Identity and Dropout removed, float16 widened to float32, each spelled-out function made one node.
 *
 * @param feed makes, for each input of the file, the value that takes its place
 * @param batch the batch size, when the model has one baked in
 * @param interventions the replacements of values
 * @param g the graph to copy into, made by `graphFor` for this file
 * @throws ShapeError if the shapes contradict each other, as they do if a baked-in batch is not given
 */
export function canonicalize(
  file: Graph,
  feed: (g: GraphBuilder) => ReadonlyMap<Value, Value>,
  batch?: number,
  interventions?: Interventions,
  g = graphFor(file, batch),
): Canonical {
  const { opset } = file;
  const graph = widen(file);
  const { scope } = g;
  const aliases = new Map<Value, Value>(feed(g));
  g.scope = 'canonical';
  const resolve = (name: Value): Value => {
    const original = aliases.get(name);
    return original === undefined || original === name ? name : resolve(original);
  };
  for (const [name, value] of graph.constants) g.constant(value, name);
  const symbols = symbolsOf(graph, g, aliases);
  const images = interventions && [...aliases.values()].find((value) => g.shape(value)[0]! < 0);

  const place = (node: Node): void => {
    const constant = constantOf(node);
    if (constant) {
      g.constant(constant, node.outputs[0]!);
      return;
    }
    if (node.op === 'If') {
      const { nodes, outputs } = branchTaken(g, node, resolve);
      nodes.forEach(place);
      for (const [i, output] of node.outputs.entries())
        if (output !== '') aliases.set(output, outputs[i]!.name);
    } else {
      const upgraded = raised(g, { ...node, inputs: node.inputs.map(resolve) }, opset);
      if ('parts' in upgraded) {
        upgraded.parts.forEach(place);
        return;
      }
      if ('alias' in upgraded) aliases.set(node.outputs[0]!, upgraded.alias);
      else
        for (const made of upgraded.nodes)
          addFolded(g, images === undefined ? made : (sizeOffImages(g, made, images) ?? made));
    }
    for (const output of node.outputs) {
      if (!g.knows(resolve(output))) declareAsFile(graph, g, output, symbols);
      const replace = interventions?.get(output);
      if (replace)
        aliases.set(
          output,
          g.within('explain', () => replace(g, output)),
        );
    }
  };
  graph.nodes.forEach(place);
  recogniseFunctions(g, graph.outputs.map(resolve), graph === file ? singlePrecision : halfPrecision);
  g.scope = scope;
  return { builder: g, resolve };
}

/** Makes an empty graph for a file's graph to be copied into: it makes up no name that the file has. */
export function graphFor(file: Graph, batch?: number, enclosing?: GraphBuilder): GraphBuilder {
  const opset = Math.max(file.opset, lowest, ofSixteenBits(file) ? sixteenBits : lowest);
  const g = newGraph(opset, batch, enclosing);
  for (const name of [...file.constants.keys(), ...valuesOf(file.nodes)]) g.reserved.add(name);
  return g;
}

/** Tells whether ONNX Runtime's own quantization has levels of 16 bits, which ONNX's has only in later opsets. */
const ofSixteenBits = ({ nodes, constants }: Graph): boolean =>
  nodes.some(
    ({ op, inputs }) =>
      (op === 'com.microsoft.QuantizeLinear' || op === 'com.microsoft.DequantizeLinear') &&
      /^u?int16$/.test(constants.get(inputs[2] ?? '')?.dtype ?? ''),
  );

/** Reads the sizes of inputs' symbolic dimensions. */
function symbolsOf(graph: Graph, g: GraphBuilder, fed: ReadonlyMap<Value, Value>): Map<string, Dim> {
  const symbols = new Map<string, Dim>();
  for (const { name, shape } of graph.inputs) {
    const sizes = g.shape(fed.get(name)!);
    shape.forEach((d, i) => {
      if (typeof d === 'string') symbols.set(d, sizes[i]!);
    });
  }
  return symbols;
}

/** Uses the file's shape for a value without a shape from rules, if the file gives its sizes for the wanted batch. */
function declareAsFile(
  graph: Graph,
  g: GraphBuilder,
  output: Value,
  symbols: ReadonlyMap<string, Dim>,
): void {
  const said = graph.declared?.get(output);
  const shape = said?.shape.map((d) => (typeof d === 'number' ? d : symbols.get(d)));
  if (!said || !shape?.every((d) => d !== undefined)) return;
  if (g.batched || shape.some((d) => d < 0)) g.declare(output, said.dtype, shape);
}

/** @throws ShapeError for a node without the inputs or attributes that its operator needs */
function raised(g: GraphBuilder, node: Node, opset: number): Upgraded {
  try {
    return upgrade(g, node, opset);
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError)
      throw new ShapeError(`node ${quoted(node.name)}: inputs or attributes that ${node.op} does not have`);
    throw error;
  }
}

/** Adds a node, or only its results if they are known already (`Shape` and values computed from it). */
function addFolded(g: GraphBuilder, node: Node): void {
  g.add(node);
  const tensors = node.outputs.map((output) => knownTensor(g, output));
  if (tensors.some((tensor) => tensor === undefined)) {
    const constant = withConstantShape(g, node);
    if (constant) {
      g.nodes.pop();
      g.add(constant);
    }
    return;
  }
  g.nodes.pop();
  node.outputs.forEach((output, i) => {
    g.constant(tensors[i]!, output);
  });
}

function knownTensor(g: GraphBuilder, value: Value): Tensor | undefined {
  const elements = g.elements(value);
  if (!elements) return undefined;
  const dtype = g.dtype(value);
  if (!isFloat(dtype) && !elements.every(Number.isInteger)) return undefined; // an integer divided by zero
  const data: TensorData =
    dtype === 'int64' || dtype === 'uint64'
      ? (dtypes[dtype] as BigInt64ArrayConstructor).from(elements, toInt64)
      : ((dtypes[dtype] as Float32ArrayConstructor).from(elements) as TensorData);
  return { dtype, shape: g.shape(value), data };
}

function constantOf({ op, attributes }: Node): Tensor | undefined {
  if (op !== 'Constant') return undefined;
  const { value, value_float, value_floats, value_int, value_ints } = attributes;
  if (typeof value === 'object' && 'tensor' in value) return value.tensor;
  if (typeof value_int === 'number')
    return { dtype: 'int64', shape: [], data: BigInt64Array.of(toInt64(value_int)) };
  if (Array.isArray(value_ints))
    return {
      dtype: 'int64',
      shape: [value_ints.length],
      data: BigInt64Array.from(value_ints as number[], toInt64),
    };
  if (typeof value_float === 'object' && 'float' in value_float)
    return { dtype: 'float32', shape: [], data: Float32Array.of(value_float.float) };
  if (typeof value_floats === 'object' && 'floats' in value_floats)
    return {
      dtype: 'float32',
      shape: [value_floats.floats.length],
      data: Float32Array.from(value_floats.floats),
    };
  return undefined;
}
