import { InputError } from '../errors.ts';
import type { Graph } from './graph.ts';
import { quoted } from './names.ts';

/**
 * Every value is made once, before it is used.
 *
 * @throws InputError invalid_model
 */
export function checkOrder({ inputs, constants, nodes, outputs }: Graph): void {
  const known = new Set([...inputs.map((input) => input.name), ...constants.keys()]);
  for (const { name, op, inputs: uses, outputs: makes } of nodes) {
    for (const value of uses)
      if (value !== '' && !known.has(value))
        throw new InputError(
          'invalid_model',
          `node ${quoted(name)} (${op}) uses ${quoted(value)}, which nothing before it makes`,
        );
    for (const value of makes) {
      if (value !== '' && known.has(value))
        throw new InputError(
          'invalid_model',
          `node ${quoted(name)} (${op}) makes ${quoted(value)} a second time`,
        );
      known.add(value);
    }
  }
  if (outputs.length === 0) throw new InputError('invalid_model', 'the model has no outputs');
  for (const output of outputs)
    if (!known.has(output))
      throw new InputError('invalid_model', `nothing makes the output ${quoted(output)}`);
}
