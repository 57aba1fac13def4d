import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { isFloat } from '../../onnx/dtype.ts';
import { type Node, reachable, usesOf } from '../../onnx/graph.ts';
import { inputsKnown, operandsOf } from './expression.ts';
import { recognisers } from './index.ts';
import type { Found } from './recogniser.ts';

/**
 * Makes one node of each function that several nodes spell out, if no other node uses the values inside. The new node
 * keeps those nodes as its spelling, in which it is written.
 *
 * @param outputs the model's outputs
 * @param precision the relative tolerance for constants
 */
export function recogniseFunctions(g: GraphBuilder, outputs: readonly Value[], precision: number): void {
  const nodes = [...g.nodes];
  const inside = new Inside(nodes, outputs);
  const gone = new Set<Value>();
  g.replaceNodes(0, []);
  for (const node of nodes) {
    g.replaceNodes(g.nodes.length, [node]);
    // The new node may be the last node of a larger function: a clip of a hard sigmoid.
    for (let last = node; ; ) {
      const made = firstFound(g, last, precision, inside);
      if (!made) break;
      last = made.node;
      g.replaceNodes(g.nodes.length - 1, [last]);
      for (const value of made.gone) gone.add(value);
    }
  }
  g.replaceNodes(
    0,
    g.nodes.filter(({ outputs }) => !gone.has(outputs[0]!)),
  );
}

/** Finds the first function of which a node is the last. */
function firstFound(g: GraphBuilder, node: Node, precision: number, inside: Inside): OneNode | undefined {
  if (!g.knows(node.outputs[0]!) || !inputsKnown(g, node)) return undefined;
  const entries = recognisers[node.op] ?? [];
  const present = new Set(
    entries.length > 0 ? [...operandsOf(g, node.outputs[0]!)].map((v) => g.maker(v)?.op) : [],
  );
  for (const { recogniser, near } of entries) {
    if (near && !near.some((op) => present.has(op))) continue;
    const found = recogniser(g, node, precision);
    const made = found && inside.asOne(g, node, found);
    if (made) return made;
  }
  return undefined;
}

/** A function as one node, and the outputs of the nodes that it replaces. */
interface OneNode {
  readonly node: Node;
  readonly gone: readonly Value[];
}

/** The users of a graph's values. Nodes are identified by their first outputs. */
class Inside {
  private readonly users: ReadonlyMap<Value, readonly Value[]>;
  private readonly places: ReadonlyMap<Value, number>;
  private readonly outputs: ReadonlySet<Value>;

  constructor(nodes: readonly Node[], outputs: readonly Value[]) {
    this.places = new Map(nodes.map((node, i) => [node.outputs[0]!, i]));
    this.outputs = new Set(outputs);
    const users = new Map<Value, Value[]>();
    for (const node of reachable(nodes, outputs))
      for (const value of usesOf(node)) users.set(value, [...(users.get(value) ?? []), node.outputs[0]!]);
    this.users = users;
  }

  /** Makes a function one node; `undefined` if a value inside has another user. */
  asOne(g: GraphBuilder, last: Node, found: Found): OneNode | undefined {
    const { op, inputs, attributes = {}, parts = {} } = found;
    const output = last.outputs[0]!;
    if (g.shape(inputs[0]!).join() !== g.shape(output).join()) return undefined;
    const spelled = spelledNodes(g, last, found);
    if (!spelled) return undefined;
    const own = new Set([...spelled.keys(), ...(found.repeated?.keys() ?? [])]);
    const hidden = [...own].every(
      (value) =>
        value === output ||
        (!this.outputs.has(value) && (this.users.get(value) ?? []).every((user) => own.has(user))),
    );
    if (!hidden) return undefined;
    const nodes = [...spelled.values()].sort(
      (a, b) => this.places.get(a.outputs[0]!)! - this.places.get(b.outputs[0]!)!,
    );
    const node: Node = {
      op,
      name: last.name,
      inputs,
      outputs: [output],
      attributes,
      spelling: { inputs, nodes, parts },
    };
    return { node, gone: [...own].filter((value) => value !== output) };
  }
}

/** Lists the nodes between a function's inputs and output, by their outputs; `undefined` if they need another value. */
function spelledNodes(
  g: GraphBuilder,
  last: Node,
  { inputs, repeated }: Found,
): Map<Value, Node> | undefined {
  const ends = new Set(inputs);
  const nodes = new Map<Value, Node>();
  const waiting = [last];
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    if (nodes.has(node.outputs[0]!)) continue;
    const taken = node.inputs.map((value) => repeated?.get(value) ?? value);
    if (node.spelling) for (const part of node.spelling.nodes) nodes.set(part.outputs[0]!, part);
    else nodes.set(node.outputs[0]!, repeated ? { ...node, inputs: taken } : node);
    for (const value of taken) {
      if (value === '' || ends.has(value) || !varies(g, value)) continue;
      const maker = g.maker(value);
      if (!maker || maker.outputs[0] !== value) return undefined;
      waiting.push(maker);
    }
  }
  return nodes;
}

/** Tells whether a value is computed from the images' numbers, not only from their shapes. */
const varies = (g: GraphBuilder, value: Value): boolean =>
  g.dependsOnInputs(value) && g.knows(value) && (isFloat(g.dtype(value)) || g.dtype(value) === 'bool');
