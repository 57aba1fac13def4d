import { InputError } from '../../errors.ts';
import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { quoted } from '../../onnx/names.ts';
import { between } from '../path.ts';
import type { Bounds } from './modified.ts';
import { kindOf } from './operators.ts';

/**
 * The bounds of a value that is made of the image's elements one by one, from those of the image: a model may normalise
 * and move pixels itself before its first layer.
 *
 * @param image what `low` and `high` broadcast to
 * @throws InputError invalid_parameter where the value is made in another way
 */
export function boundsOf(g: GraphBuilder, image: Value, value: Value, { low, high }: Bounds): Bounds {
  if (value === image) {
    const row = g.ints([1, ...g.shape(image).slice(1)]);
    return { low: g.emit('Expand', [low, row]), high: g.emit('Expand', [high, row]) };
  }
  const size = g.emit('Shape', [image]); // a reshape on the way may have the batch in it
  const { nodes } = between(g, [image], [value]);
  const ends = [low, high].map((bound) => {
    const made = new Map<Value, Value>([[image, g.emit('Expand', [bound, size])]]);
    for (const node of nodes) {
      const kind = kindOf(g, node);
      const elementwise = kind === 'activation' || kind === 'factor' || kind === 'movement';
      if (!elementwise) throw notOfPixels(value);
      const inputs = node.inputs.map((input) => made.get(input) ?? input);
      const outputs = g.emitAll(node.op, inputs, node.attributes, node.outputs.length);
      node.outputs.forEach((output, k) => {
        made.set(output, outputs[k]!);
      });
    }
    return made.get(value)!;
  }) as [Value, Value];
  return { low: g.emit('Min', ends), high: g.emit('Max', ends) };
}

const notOfPixels = (value: Value): InputError =>
  new InputError(
    'invalid_parameter',
    `composite "epsilon-gamma-box" needs a first convolution that sees the image's pixels; here it sees ${quoted(value)}. Choose another composite`,
  );
