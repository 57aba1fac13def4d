import { bytesOf, type Tensor } from '../tensor.ts';
import { type Graph, type Node, reachable } from './graph.ts';

type Value = string;

/** A graph merged from several, with the name in it of each output of each graph. */
export interface Merged {
  readonly graph: Graph;
  readonly outputs: readonly Readonly<Record<string, Value>>[];
}

/**
 * Merges graphs with the same inputs into one graph, which computes their common nodes once. Nodes are the same if they
 * apply the same operator to the same values, whatever their names are.
 */
export function merge(graphs: readonly Graph[]): Merged {
  const [first] = graphs as [Graph];
  const merging = new Merging(first.inputs.map(({ name }) => name));
  const outputs = graphs.map((graph) => merging.place(graph));
  const wanted = new Set(outputs.flatMap((named) => Object.values(named)));
  const { nodes, constants } = merging;
  const opset = Math.max(...graphs.map((graph) => graph.opset));
  return { graph: { ...first, opset, nodes, constants, outputs: [...wanted] }, outputs };
}

class Merging {
  readonly nodes: Node[] = [];
  readonly constants = new Map<Value, Tensor>();
  private readonly taken: Set<Value>;
  private readonly nodeNames = new Set<string>();
  /** The index of the node of each operator, inputs and attributes. */
  private readonly places = new Map<string, number>();
  private readonly alike = new Map<string, Value[]>();

  constructor(inputs: readonly Value[]) {
    this.taken = new Set(inputs);
  }

  place(graph: Graph): Record<string, Value> {
    const names = new Map<Value, Value>([['', ''], ...graph.inputs.map(({ name }) => [name, name] as const)]);
    const nodes = reachable(graph.nodes, graph.outputs);
    for (const value of new Set([...nodes.flatMap(({ inputs }) => inputs), ...graph.outputs])) {
      const constant = graph.constants.get(value);
      if (constant) names.set(value, this.constant(value, constant));
    }
    for (const node of nodes) this.node(node, names);
    return Object.fromEntries(graph.outputs.map((output) => [output, names.get(output)!]));
  }

  private node(node: Node, names: Map<Value, Value>): void {
    const inputs = node.inputs.map((input) => names.get(input)!);
    const key = JSON.stringify([node.op, inputs, node.attributes], exactly);
    const at = this.places.get(key) ?? this.nodes.length;
    this.places.set(key, at);
    const known = this.nodes[at]?.outputs ?? [];
    // Graphs may ask for different outputs of one node.
    const count = Math.max(known.length, node.outputs.length);
    const outputs = Array.from(
      { length: count },
      (_, i) => known[i] || (node.outputs[i] ? unique(node.outputs[i], this.taken) : ''),
    );
    const name = this.nodes[at]?.name ?? unique(node.name, this.nodeNames);
    this.nodes[at] = { ...node, name, inputs, outputs };
    node.outputs.forEach((output, i) => {
      names.set(output, outputs[i]!);
    });
  }

  private constant(name: Value, value: Tensor): Value {
    const kind = `${value.dtype}[${value.shape}]`;
    const others = this.alike.get(kind) ?? [];
    const known = others.find((other) => same(this.constants.get(other)!, value));
    if (known !== undefined) return known;
    const made = unique(name, this.taken);
    this.constants.set(made, value);
    this.alike.set(kind, [...others, made]);
    return made;
  }
}

/** Returns `stem`, with a number if it is taken, and marks the name as taken. */
function unique(stem: string, taken: Set<string>): string {
  let name = stem;
  for (let k = 1; taken.has(name); k++) name = `${stem}_${k}`;
  taken.add(name);
  return name;
}

/** Writes numbers that JSON does not have as text. */
export const exactly = (_: string, value: unknown): unknown =>
  typeof value === 'bigint' ||
  (typeof value === 'number' && !(Number.isFinite(value) && !Object.is(value, -0)))
    ? `${Object.is(value, -0) ? '-0' : value}`
    : value;

/** Tells whether two tensors of one type and shape are equal to the bit. */
function same(a: Tensor, b: Tensor): boolean {
  if (a === b) return true;
  const [x, y] = [bytesOf(a), bytesOf(b)];
  if (x.buffer === y.buffer && x.byteOffset === y.byteOffset) return true;
  return x.every((byte, i) => byte === y[i]);
}
