import { uniform } from '../methods/shared/random.ts';
import type { Tensor } from '../tensor.ts';
import { batchOf } from './pixels.ts';

export interface SensitivityOptions {
  readonly samples?: number;
  /** The largest perturbation of each element, in units of the normalised image. */
  readonly radius?: number;
  readonly seed?: number;
  /** Recorded images [S, …] near the image, in place of drawn ones. */
  readonly neighbours?: Tensor<'float32'>;
}

/**
 * Measures how much an explanation changes if its image changes slightly: max over neighbours x̃ of
 * ‖a(x) - a(x̃)‖ / ‖a(x)‖, Euclidean, divided by 1 if a(x) is 0 (Yeh et al., NeurIPS 2019); Captum's `sensitivity_max`.
 *
 * @param explain maps images [N, …] to their attributions in order, all for the same class.
 */
export async function maxSensitivity(
  explain: (images: Tensor<'float32'>) => Promise<ArrayLike<number>>,
  image: Tensor<'float32'>,
  { samples = 10, radius = 0.02, seed = 0, neighbours }: SensitivityOptions = {},
): Promise<number> {
  const size = image.data.length;
  const near =
    neighbours ??
    batchOf(image, samples, (row, n) => {
      for (let i = 0; i < size; i++) row[i] = image.data[i]! + radius * (2 * uniform(seed, n * size + i) - 1);
    });
  const own = await explain(image);
  const others = await explain(near);
  const length = norm(own.length, (i) => own[i]!) || 1;
  const changes = Array.from(
    { length: near.shape[0]! },
    (_, n) => norm(own.length, (i) => own[i]! - others[n * own.length + i]!) / length,
  );
  return Math.max(...changes);
}

function norm(count: number, value: (i: number) => number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += value(i) ** 2;
  return Math.sqrt(sum);
}
