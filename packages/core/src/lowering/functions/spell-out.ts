import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import type { Node } from '../../onnx/graph.ts';
import { exactly } from '../../onnx/merge.ts';

/**
 * Replaces every function by the nodes that the file has for it. Nodes of a function's parts that a derivative has
 * repeated are equal to the function's own: equal nodes become one.
 *
 * @returns the replacement of a value
 */
export function spellOut(g: GraphBuilder): (value: Value) => Value {
  const moved = new Map<Value, Value>();
  const now = (value: Value): Value => moved.get(value) ?? value;
  const nodes = [...g.nodes];
  if (nodes.every(({ spelling }) => !spelling)) return now;
  g.replaceNodes(0, []);
  const parts = new Map<string, Value>();
  const spelled = new Set(nodes.flatMap(({ spelling }) => spelling?.nodes.map(({ op }) => op) ?? []));
  for (const node of nodes) {
    const current = moved.size === 0 ? node : { ...node, inputs: node.inputs.map(now) };
    if (node.spelling) spell(g, current, parts, now);
    else {
      const known =
        spelled.has(node.op) && node.outputs.length === 1 ? parts.get(meaning(current)) : undefined;
      if (known === undefined) g.replaceNodes(g.nodes.length, [current]);
      else moved.set(node.outputs[0]!, known);
    }
  }
  return now;
}

/** Writes a node's operator, inputs and attributes, without its name. */
const meaning = ({ op, inputs, attributes }: Node): string =>
  JSON.stringify([op, inputs, attributes], exactly);

/** Spells out a node. A function of the file keeps the names of its parts; the parts of a copy get new names. */
function spell(g: GraphBuilder, node: Node, parts: Map<string, Value>, now: (value: Value) => Value): void {
  const { inputs, nodes } = node.spelling!;
  const last = nodes.at(-1)!;
  const original = last.outputs[0] === node.outputs[0];
  const names = new Map(inputs.map((value, i) => [value, node.inputs[i]!]));
  for (const part of nodes) {
    const own: Node = { ...part, inputs: part.inputs.map((value) => names.get(value) ?? now(value)) };
    const key = meaning(own);
    if (part === last) g.replaceNodes(g.nodes.length, [{ ...own, name: node.name, outputs: node.outputs }]);
    else if (original) g.replaceNodes(g.nodes.length, [own]);
    else {
      const made = parts.get(key)
        ? [parts.get(key)!]
        : g.within(node.name, () => g.copy(own, own.inputs, part.outputs.length));
      part.outputs.forEach((output, i) => {
        names.set(output, made[i]!);
      });
      if (part.outputs.length > 1) continue;
    }
    if (!parts.has(key))
      parts.set(key, part === last ? node.outputs[0]! : (names.get(part.outputs[0]!) ?? part.outputs[0]!));
  }
}
