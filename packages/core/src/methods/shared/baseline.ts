import { z } from 'zod';
import { InputError } from '../../errors.ts';
import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { sub } from '../../onnx/emit.ts';
import type { Setting } from '../method.ts';

/** What an absent feature looks like, in the network's own (normalised) space. */
export const baselineParam = z
  .union([z.enum(['zero', 'black', 'blur']), z.number()])
  .default('zero')
  .describe(
    'What absence looks like, in normalised space: zero, black ((0 - mean)/std), blur (the image blurred), or a number',
  );

export type Baseline = z.infer<typeof baselineParam>;

/** The baseline for `image` [..., C, H, W]: a value that broadcasts to it. */
export function baselineOf(
  g: GraphBuilder,
  image: Value,
  baseline: Baseline,
  setting: Setting<unknown>,
): Value {
  if (baseline === 'zero') return g.scalar(0);
  if (typeof baseline === 'number') return g.scalar(baseline);
  if (baseline === 'black') return black(g, setting);
  return blur(g, image, setting);
}

/** A number per channel, so that it meets the image. */
function perChannel(
  g: GraphBuilder,
  what: string,
  values: readonly number[],
  { layout, inputShape }: Setting<unknown>,
): Value {
  const channels = layout === 'NCHW' ? inputShape[0]! : inputShape.at(-1)!;
  if (values.length !== channels)
    throw new InputError(
      'invalid_parameter',
      `${what} ${values.length} ${values.length === 1 ? 'value' : 'values'}, the model's images have ${channels} channels`,
    );
  return g.floats(layout === 'NCHW' ? [channels, 1, 1] : [channels], values);
}

/** A pixel of one grey, from 0 to 1, in normalised space. */
function grey(g: GraphBuilder, what: string, level: 0 | 1, setting: Setting<unknown>): Value {
  const { normalisation } = setting;
  if (!normalisation)
    throw new InputError(
      'invalid_parameter',
      `${what} is (${level} - mean)/std: give the model's mean and std, or a manifest that has them`,
    );
  const { mean, std, white = 1 } = normalisation;
  const values = mean.map((mean, c) => (level * white - mean) / (std[c] ?? 1));
  return perChannel(g, 'mean and std have', values, setting);
}

const black = (g: GraphBuilder, setting: Setting<unknown>): Value => grey(g, 'baseline "black"', 0, setting);

/** The least or the greatest value of a pixel: a value that broadcasts to the image. */
export function pixelBound(
  g: GraphBuilder,
  name: 'low' | 'high',
  bound: 'black' | 'white' | number | readonly number[],
  setting: Setting<unknown>,
): Value {
  if (typeof bound === 'number') return g.scalar(bound);
  if (typeof bound === 'string') return grey(g, `${name} "${bound}"`, bound === 'black' ? 0 : 1, setting);
  return perChannel(g, `parameter "${name}" has`, bound, setting);
}

/** Standard deviation of the Gaussian, in pixels at 224; larger images blur more. */
const sigmaAt224 = 10;

/** A Gaussian blur in two passes; outside the image counts as its edge. */
function blur(g: GraphBuilder, image: Value, { height, width, layout }: Setting<unknown>): Value {
  const [row, column] = layout === 'NCHW' ? [-2, -1] : [-3, -2];
  const smooth = (x: Value, axis: number, size: number): Value => {
    const rank = g.shape(x).length;
    const last = [...Array(rank).keys()].filter((i) => i !== axis + rank).concat(axis + rank);
    const kernel = g.floats([size, size], gaussianMatrix(size, (sigmaAt224 * Math.max(height, width)) / 224));
    const moved = g.emit('MatMul', [g.emit('Transpose', [x], { perm: last }), kernel]);
    return g.emit('Transpose', [moved], { perm: last.map((_, i) => last.indexOf(i)) });
  };
  return smooth(smooth(image, row!, height), column!, width);
}

/** [input, output] weights of a Gaussian blur along one axis. */
function gaussianMatrix(size: number, sigma: number): Float32Array {
  const matrix = new Float32Array(size * size);
  const reach = Math.ceil(3 * sigma);
  const weights = Array.from({ length: 2 * reach + 1 }, (_, k) =>
    Math.exp(-((k - reach) ** 2) / (2 * sigma * sigma)),
  );
  const total = weights.reduce((a, b) => a + b);
  for (let out = 0; out < size; out++)
    weights.forEach((weight, k) => {
      const source = Math.min(Math.max(out + k - reach, 0), size - 1);
      matrix[source * size + out] = matrix[source * size + out]! + weight / total;
    });
  return matrix;
}

/** image - baseline. */
export const distance = (
  g: GraphBuilder,
  image: Value,
  baseline: Baseline,
  setting: Setting<unknown>,
): Value => (baseline === 'zero' ? image : sub(g, image, baselineOf(g, image, baseline, setting)));
