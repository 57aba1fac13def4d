import { type Graph, type Node, reachable } from './graph.ts';

/**
 * Gives a graph's inputs and outputs the names that its users know. Another value that has such a name is renamed;
 * a value wanted under two names, or an input wanted as output, is copied.
 */
export function renamed(graph: Graph, outputs: Readonly<Record<string, string>>): Graph {
  const names = new Map(graph.inputs.map(({ name, known = name }) => [name, known]));
  const taken = new Set([...names.values(), ...Object.keys(outputs)]);
  const copies: Node[] = [];
  for (const [name, value] of Object.entries(outputs)) {
    if (names.has(value) || graph.constants.has(value))
      copies.push({
        op: 'Identity',
        name: `output/${name}`,
        inputs: [names.get(value) ?? value],
        outputs: [name],
        attributes: {},
      });
    else names.set(value, name);
  }
  const rename = (value: string): string =>
    names.get(value) ?? (taken.has(value) ? `${value}_of_model` : value);
  return {
    ...graph,
    inputs: graph.inputs.map(({ known: _, ...input }) => ({ ...input, name: names.get(input.name)! })),
    nodes: [
      ...reachable(graph.nodes, Object.values(outputs)).map((node) => ({
        ...node,
        inputs: node.inputs.map(rename),
        outputs: node.outputs.map(rename),
      })),
      ...copies,
    ],
    outputs: Object.keys(outputs),
    constants: new Map([...graph.constants].map(([name, value]) => [rename(name), value])),
  };
}
