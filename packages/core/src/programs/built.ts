import type { GraphFile } from '../graph-file.ts';
import { spellOut } from '../lowering/functions/spell-out.ts';
import { lowestOpset } from '../lowering/lowest-opset.ts';
import { peakBytesPerRow, weightBytes } from '../lowering/peak.ts';
import type { GraphBuilder, Shape, Value } from '../onnx/builder.ts';
import type { Graph, ValueInfo } from '../onnx/graph.ts';
import { renamed } from '../onnx/rename.ts';
import { writeApart, writeModel } from '../onnx/write.ts';

export type Shapes = Readonly<Record<string, Shape>>;

/** A graph with names for its inputs and outputs. */
export interface Built {
  readonly graph: Graph;
  readonly outputs: Shapes;
  /** The outputs' types as ONNX states them. */
  readonly types: readonly ValueInfo[];
  /** The graph as a file, whole. */
  readonly bytes: Uint8Array;
  /** The graph as a file with its large weights apart: the form that is loaded. */
  readonly file: GraphFile;
  /** The bytes of its constants. */
  readonly weightBytes: number;
  /** The peak bytes of a run for each unit of its batch, an image or a sample. */
  readonly bytesPerRow: number;
}

/** Builds the graph that computes these values from the inputs of a graph under construction, with these names. */
export function built(g: GraphBuilder, values: Readonly<Record<string, Value>>): Built {
  const now = spellOut(g);
  return part(g, new Map(Object.entries(values).map(([name, value]) => [name, now(value)])), g.inputs);
}

/**
 * Builds the part of a graph that computes some of its values from others. (`spellOut` has been done.)
 *
 * @param values the outputs, by their names
 * @param inputs the given values, with their names in the graph
 */
export function part(
  g: GraphBuilder,
  values: ReadonlyMap<string, Value>,
  inputs: readonly ValueInfo[],
): Built {
  const outputs = Object.fromEntries(eachOnce(g, values));
  const ends = Object.values(outputs);
  const given = new Set(inputs.map(({ name }) => name));
  const nodes = g.nodes.filter((node) => !node.outputs.some((output) => given.has(output)));
  const types = Object.entries(outputs).map(([name, value]) => ({ name, ...g.type(value)! }));
  const typed = nodes.map((node) => ({ ...node, types: node.outputs.map((y) => g.type(y)) }));
  const named = renamed({ ...g.graph('whylight', ends), inputs, nodes: typed }, outputs);
  const graph = { ...named, opset: lowestOpset(named) };
  return {
    graph,
    outputs: mapped(outputs, (value) => g.shape(value)),
    types,
    get bytes() {
      return writeModel(graph, types);
    },
    get file() {
      return writeApart(graph, types);
    },
    weightBytes: weightBytes(graph),
    bytesPerRow: peakBytesPerRow(g, ends, nodes),
  };
}

/** Gives each name its own value: a value with several names is copied for all but the first. */
function eachOnce(g: GraphBuilder, values: ReadonlyMap<string, Value>): Map<string, Value> {
  const given = new Set<string>();
  return new Map(
    Array.from(values, ([name, value]) => {
      const own = given.has(value) ? g.emit('Identity', [value]) : value;
      given.add(own);
      return [name, own];
    }),
  );
}

const mapped = <A, B>(record: Readonly<Record<string, A>>, f: (value: A) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, f(value)]));
