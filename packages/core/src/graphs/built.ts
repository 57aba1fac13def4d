import type { GraphFile } from '../graph-file.ts';
import { spellOut } from '../lowering/functions/spell-out.ts';
import { lowestOpset } from '../lowering/lowest-opset.ts';
import { peakBytesPerRow, weightBytes } from '../lowering/peak.ts';
import type { Values } from '../methods/method.ts';
import type { GraphBuilder, Shape } from '../onnx/builder.ts';
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
  /** The graph as a file, its large weights beside it: what is loaded. */
  readonly file: GraphFile;
  /** What its constants take. */
  readonly weightBytes: number;
  /** What a run holds at once for each unit of its batch, an image or a sample: bytes. */
  readonly bytesPerRow: number;
}

export function built(g: GraphBuilder, values: Values): Built {
  const outputs = mapped(eachOnce(g, values), spellOut(g));
  const shapes = mapped(outputs, (value) => g.shape(value));
  const types = Object.entries(outputs).map(([name, value]) => ({ name, ...g.type(value)! }));
  const named = renamed(g.graph('whylight', Object.values(outputs)), outputs);
  const graph = { ...named, opset: lowestOpset(named) };
  return {
    graph,
    outputs: shapes,
    types,
    get bytes() {
      return writeModel(graph, types);
    },
    get file() {
      return writeApart(graph, types);
    },
    weightBytes: weightBytes(graph),
    bytesPerRow: peakBytesPerRow(g, Object.values(outputs)),
  };
}

/** Values under names of their own: one that has several is given out as often. */
function eachOnce(g: GraphBuilder, values: Values): Values {
  const given = new Set<string>();
  return mapped(values, (value) => {
    const own = given.has(value) ? g.emit('Identity', [value]) : value;
    given.add(own);
    return own;
  });
}

export const mapped = <A, B>(
  record: Readonly<Record<string, A>>,
  f: (value: A, name: string) => B,
): Record<string, B> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, f(value, name)]));
