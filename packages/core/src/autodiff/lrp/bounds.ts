import { InputError } from '../../errors.ts';
import type { Value } from '../../onnx/builder.ts';
import type { Expression } from '../../onnx/expression.ts';
import { quoted } from '../../onnx/names.ts';
import { between } from '../path.ts';
import type { Bounds } from './modified.ts';
import { kindOf } from './operators.ts';

/**
 * Computes the bounds of a value from those of the image, if each element of the value is made from one element of the
 * image: a model may normalise and move pixels itself before its first layer.
 *
 * @param image the image that `low` and `high` broadcast to
 * @throws InputError invalid_parameter if the value is made in another way
 */
export function boundsOf(image: Expression, value: Expression, { low, high }: Bounds): Bounds {
  const { g } = image;
  if (value.name === image.name) {
    const row = [1, ...image.shape.slice(1)];
    return { low: low.expand(row), high: high.expand(row) };
  }
  const size = image.emit('Shape'); // a reshape on the way may have the batch in it
  const { nodes } = between(g, [image.name], [value.name]);
  const [a, b] = [low, high].map((bound) => {
    const made = new Map<Value, Value>([[image.name, bound.emit('Expand', [size]).name]]);
    for (const node of nodes) {
      const kind = kindOf(g, node);
      const elementwise = kind === 'activation' || kind === 'factor' || kind === 'movement';
      if (!elementwise) throw notOfPixels(value.name);
      const inputs = node.inputs.map((input) => made.get(input) ?? input);
      const outputs = g.emitAll(node.op, inputs, node.attributes, node.outputs.length);
      node.outputs.forEach((output, k) => {
        made.set(output, outputs[k]!);
      });
    }
    return value.of(made.get(value.name)!);
  }) as [Expression, Expression];
  return { low: a.atMost(b), high: a.atLeast(b) };
}

const notOfPixels = (value: Value): InputError =>
  new InputError(
    'invalid_parameter',
    `composite "epsilon-gamma-box" needs a first convolution that sees the image's pixels; here it sees ${quoted(value)}. Choose another composite`,
  );
