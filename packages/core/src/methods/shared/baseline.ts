import { z } from 'zod';
import { InputError } from '../../errors.ts';
import type { Expression, Operand } from '../../onnx/expression.ts';
import type { Setting, Subject } from '../method.ts';

/** The parameter for the values of absent features, in the network's own (normalised) space. */
export const baselineParam = z
  .union([z.enum(['zero', 'black', 'blur']), z.number()])
  .default('zero')
  .describe(
    'What absence looks like, in normalised space: zero, black ((0 - mean)/std), blur (the image blurred), or a number',
  );

export type Baseline = z.infer<typeof baselineParam>;

/** Gives the baseline for images […, C, H, W]: a number, or a value that broadcasts to them. */
export function baselineOf(image: Expression, baseline: Baseline, setting: Setting<unknown>): Operand {
  if (baseline === 'zero') return 0;
  if (typeof baseline === 'number') return baseline;
  return baseline === 'black' ? grey(image, 'baseline "black"', 0, setting) : blur(image, setting);
}

/** Computes image - baseline. */
export const distance = (image: Expression, baseline: Baseline, setting: Setting<unknown>): Expression =>
  baseline === 'zero' ? image : image.sub(baselineOf(image, baseline, setting));

/** Computes points x' + α(x - x') on the path from a baseline to images, for shares α that broadcast to them. */
export function pathPoints(
  image: Expression,
  alphas: Expression,
  baseline: Baseline,
  setting: Setting<unknown>,
): Expression {
  const way = alphas.mul(distance(image, baseline, setting));
  return baseline === 'zero' ? way : way.add(baselineOf(image, baseline, setting));
}

/** Gives the baseline as separate images, of the shape of `image`. */
export function baselineImage(image: Expression, baseline: Baseline, setting: Setting<unknown>): Expression {
  const value = baselineOf(image, baseline, setting);
  return (typeof value === 'number' ? image.number(value) : value).expandAs(image);
}

/** Computes the explained score of the baseline, [1, 1]. */
export const baselineScore = (
  { image, at, over }: Subject,
  baseline: Baseline,
  setting: Setting<unknown>,
): Expression => {
  const from = baselineImage(image, baseline, setting);
  return over({}, () => at(from).score);
};

/** Shapes one number per channel so that it broadcasts to the image. */
function perChannel(
  image: Expression,
  what: string,
  values: readonly number[],
  { layout, inputShape }: Setting<unknown>,
): Expression {
  const channels = layout === 'NCHW' ? inputShape[0]! : inputShape.at(-1)!;
  if (values.length !== channels)
    throw new InputError(
      'invalid_parameter',
      `${what} ${values.length} ${values.length === 1 ? 'value' : 'values'}, the model's images have ${channels} channels`,
    );
  return image.floats(layout === 'NCHW' ? [channels, 1, 1] : [channels], values);
}

/** Gives a pixel of a grey level, from 0 to 1, in normalised space. */
function grey(image: Expression, what: string, level: 0 | 1, setting: Setting<unknown>): Expression {
  const { normalisation } = setting;
  if (!normalisation)
    throw new InputError(
      'invalid_parameter',
      `${what} is (${level} - mean)/std: give the model's mean and std, or a manifest that has them`,
    );
  const { mean, std, white = 1 } = normalisation;
  const values = mean.map((mean, c) => (level * white - mean) / (std[c] ?? 1));
  return perChannel(image, 'mean and std have', values, setting);
}

/** Gives the least or the greatest value of a pixel: a number, or a value that broadcasts to the image. */
export function pixelBound(
  image: Expression,
  name: 'low' | 'high',
  bound: 'black' | 'white' | number | readonly number[],
  setting: Setting<unknown>,
): Operand {
  if (typeof bound === 'number') return bound;
  if (typeof bound === 'string') return grey(image, `${name} "${bound}"`, bound === 'black' ? 0 : 1, setting);
  return perChannel(image, `parameter "${name}" has`, bound, setting);
}

/** The standard deviation of the Gaussian, in pixels at image size 224; in larger images it is larger. */
const sigmaAt224 = 10;

/** Applies a Gaussian blur in two passes; pixels outside the image have the value of its edge. */
function blur(image: Expression, { height, width, layout }: Setting<unknown>): Expression {
  const [row, column] = layout === 'NCHW' ? [-2, -1] : [-3, -2];
  const smooth = (x: Expression, axis: number, size: number): Expression => {
    const rank = x.shape.length;
    const last = [...Array(rank).keys()].filter((i) => i !== axis + rank).concat(axis + rank);
    const kernel = x.floats([size, size], gaussianMatrix(size, (sigmaAt224 * Math.max(height, width)) / 224));
    const moved = x.emit('Transpose', [], { perm: last }).matmul(kernel);
    return moved.emit('Transpose', [], { perm: last.map((_, i) => last.indexOf(i)) });
  };
  return smooth(smooth(image, row!, height), column!, width);
}

/** Computes the weights [input, output] of a Gaussian blur along one axis. */
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
