import { InputError } from '../errors.ts';
import type { Body, Graph, Node } from './graph.ts';
import { quoted } from './names.ts';

/**
 * Checks that every value is made once, before it is used.
 *
 * @throws InputError invalid_model
 */
export function checkOrder({ inputs, constants, nodes, outputs }: Graph): void {
  const known = new Set([...inputs.map((input) => input.name), ...constants.keys()]);
  checkNodes(nodes, known, new Set());
  if (outputs.length === 0) throw new InputError('invalid_model', 'the model has no outputs');
  for (const output of outputs)
    if (!known.has(output))
      throw new InputError('invalid_model', `nothing makes the output ${quoted(output)}`);
}

/**
 * Adds the outputs of `nodes` to `known`. A branch can use values known before its node; no node outside can use its
 * values. Their names become `hidden`, and no other value may have them, because a branch can replace its node.
 */
function checkNodes(nodes: readonly Node[], known: Set<string>, hidden: Set<string>): void {
  for (const { name, op, inputs: uses, outputs: makes, attributes } of nodes) {
    for (const value of uses)
      if (value !== '' && !known.has(value))
        throw new InputError(
          'invalid_model',
          `node ${quoted(name)} (${op}) uses ${quoted(value)}, which nothing before it makes`,
        );
    const inside: string[] = [];
    for (const value of Object.values(attributes))
      if (typeof value === 'object' && 'body' in value) inside.push(...namesIn(value.body, known, hidden));
    for (const value of inside) hidden.add(value);
    for (const value of makes) {
      if (value !== '' && (known.has(value) || hidden.has(value)))
        throw new InputError(
          'invalid_model',
          `node ${quoted(name)} (${op}) makes ${quoted(value)} a second time`,
        );
      known.add(value);
    }
  }
}

function namesIn({ name, nodes, outputs }: Body, known: Set<string>, hidden: Set<string>): string[] {
  checkNodes(nodes, known, hidden);
  for (const output of outputs)
    if (!known.has(output.name))
      throw new InputError(
        'invalid_model',
        `nothing makes the output ${quoted(output.name)} of the branch ${quoted(name)}`,
      );
  const made = nodes.flatMap((node) => node.outputs);
  for (const value of made) known.delete(value);
  return made;
}
