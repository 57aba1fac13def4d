import { groupBy } from '../group-by.ts';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { type Graph, type Node, reachable } from '../onnx/graph.ts';
import { operators } from '../operators/table.ts';
import { byteLengthOf, dtypes } from '../tensor.ts';

/**
 * Computes the most bytes per row of the batch that are held at once while a graph runs: the largest sum, over its
 * nodes, of the values that have been computed and are still needed.
 *
 * @param some the nodes that run, if not all
 */
export function peakBytesPerRow(
  g: GraphBuilder,
  outputs: readonly Value[],
  some: readonly Node[] = g.nodes,
): number {
  const nodes = reachable(some, outputs);
  const owner = new Map<Value, Value>();
  const ownerOf = (value: Value): Value => owner.get(value) ?? value;
  const lastUse = new Map<Value, number>();
  nodes.forEach((node, at) => {
    for (const input of node.inputs) lastUse.set(ownerOf(input), at);
    if (operators[node.op].movement === 'view') owner.set(node.outputs[0]!, ownerOf(node.inputs[0]!));
  });
  for (const output of outputs) lastUse.set(ownerOf(output), nodes.length);

  const ending = groupBy(lastUse.keys(), (value) => lastUse.get(value)!);
  const held = new Map<Value, number>();
  let [now, peak] = [0, 0];
  nodes.forEach((node, at) => {
    for (const output of node.outputs) {
      if (output === '' || owner.has(output)) continue;
      const bytes = bytesPerRow(g, output);
      held.set(output, bytes);
      now += bytes;
    }
    peak = Math.max(peak, now);
    for (const value of [...(ending.get(at) ?? []), ...node.outputs.filter((o) => !lastUse.has(o))]) {
      now -= held.get(value) ?? 0;
      held.delete(value);
    }
  });
  return peak;
}

/** Counts the bytes of the constants that a graph's outputs need. */
export function weightBytes(graph: Graph): number {
  const used = new Set(reachable(graph.nodes, graph.outputs).flatMap((node) => node.inputs));
  return [...graph.constants].reduce(
    (sum, [name, value]) => sum + (used.has(name) ? byteLengthOf(value) : 0),
    0,
  );
}

const bytesPerRow = (g: GraphBuilder, value: Value): number =>
  g.knows(value) ? g.growth(value) * dtypes[g.dtype(value)].BYTES_PER_ELEMENT : 0;
