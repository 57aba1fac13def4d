import type { GraphBuilder } from '../onnx/builder.ts';
import { isFloat } from '../onnx/dtype.ts';
import type { Node } from '../onnx/graph.ts';
import type { Upgrade } from './upgraded.ts';

/**
 * Makes the operands at some places of an operator on whole numbers real numbers first, under a name that users can ask
 * for: maps of a network that a file has in whole numbers only. A scale and a zero point follow each operand.
 */
export const ofRealOperands =
  (placesOf: (node: Node) => readonly number[], upgrade: Upgrade): Upgrade =>
  (g, node, opset) => {
    const parts: Node[] = [];
    const inputs = [...node.inputs];
    for (const at of placesOf(node)) {
      const made = realOperand(g, node, at, parts);
      if (made) inputs[at] = made;
    }
    return inputs.every((input, i) => input === node.inputs[i])
      ? upgrade(g, node, opset)
      : { parts: [...parts, { ...node, inputs }] };
  };

/** Returns the name of the real numbers that an operand stands for, and adds the node that makes them if needed. */
function realOperand(g: GraphBuilder, node: Node, at: number, parts: Node[]): string | undefined {
  const [value, scale, zero] = node.inputs.slice(at, at + 3) as [string, string, string];
  if (!value || !g.knows(value) || isFloat(g.dtype(value)) || !g.dependsOnInputs(value)) return undefined;
  if (!scale || !g.knows(scale) || !isFloat(g.dtype(scale))) return undefined;
  const inputs = zero ? [value, scale, zero] : [value, scale];
  const name = `${value}/real`;
  const known = parts.find(({ outputs }) => outputs[0] === name) ?? g.maker(name);
  if (known) return known.inputs.join() === inputs.join() ? name : undefined;
  if (g.reserved.has(name) || g.shape(scale).some((d) => d !== 1)) return undefined;
  g.reserved.add(name);
  parts.push({ op: 'DequantizeLinear', name, inputs, outputs: [name], attributes: {} });
  return name;
}

/** The places of a first operand, and of a second after the first one's scale and zero point. */
export const first = (): readonly number[] => [0];
export const firstTwo = (): readonly number[] => [0, 3];
