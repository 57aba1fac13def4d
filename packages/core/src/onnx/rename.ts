import { type Graph, type Node, reachable } from './graph.ts';

/**
 * Gives a graph's outputs the names that its users know. A value of the model that has such a name already steps
 * aside; a value wanted under two names, or an input wanted as output, is copied.
 */
export function renamed(graph: Graph, outputs: Readonly<Record<string, string>>): Graph {
  const taken = new Set(Object.keys(outputs));
  const names = new Map<string, string>();
  const copies: Node[] = [];
  const inputs = new Set(graph.inputs.map((input) => input.name));
  for (const [name, value] of Object.entries(outputs)) {
    if (names.has(value) || inputs.has(value) || graph.constants.has(value))
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
    names.get(value) ?? (taken.has(value) && !inputs.has(value) ? `${value}_of_model` : value);
  return {
    ...graph,
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
