import { InputError } from '../errors.ts';
import { normals } from '../methods/shared/random.ts';
import type { Tensor } from '../tensor.ts';
import { batchOf, mean } from './pixels.ts';
import type { Scorer } from './scorer.ts';

export interface InfidelityOptions {
  /** The number of perturbations to average over. */
  readonly samples?: number;
  /** Deviation of the Gaussian perturbations, in units of the normalised image. */
  readonly deviation?: number;
  readonly seed?: number;
  /** Recorded perturbations [S, …] in place of drawn ones; the perturbed image is the image minus them. */
  readonly perturbations?: Tensor<'float32'>;
  /** Whether to scale the attribution by the β that gives the least infidelity, so that its unit does not matter. */
  readonly normalize?: boolean;
}

/**
 * Measures how badly an attribution predicts the effect of small changes: mean over perturbations I of
 * (Iᵀ·attribution - (F(x) - F(x - I)))² (Yeh et al., NeurIPS 2019), like Captum's `infidelity`.
 *
 * @param attribution one value per element of the image.
 * @throws InputError invalid_tensor if the shapes differ.
 */
export async function infidelity(
  score: Scorer,
  image: Tensor<'float32'>,
  attribution: ArrayLike<number>,
  { samples = 10, deviation = 0.1, seed = 0, perturbations, normalize = false }: InfidelityOptions = {},
): Promise<number> {
  const size = image.data.length;
  const rows = perturbations?.shape[0] ?? samples;
  if (attribution.length !== size || (perturbations && perturbations.data.length !== rows * size))
    throw new InputError(
      'invalid_tensor',
      `infidelity: expected an attribution for each of ${size} elements, got ${attribution.length}`,
    );
  const moves = perturbations?.data ?? normals(seed, rows * size).map((value) => value * deviation);
  const scores = await score(
    batchOf(image, rows + 1, (row, n) => {
      for (let i = 0; i < size; i++) row[i] = image.data[i]! - (n === 0 ? 0 : moves[(n - 1) * size + i]!);
    }),
  );
  const told = Array.from({ length: rows }, (_, n) => {
    let sum = 0;
    for (let i = 0; i < size; i++) sum += attribution[i]! * moves[n * size + i]!;
    return sum;
  });
  const seen = told.map((_, n) => scores[0]! - scores[n + 1]!);
  const fit = mean(told.map((t, n) => t * seen[n]!));
  const power = mean(told.map((t) => t * t));
  const scale = normalize ? (power === 0 ? 0 : fit / power) : 1;
  return mean(told.map((t, n) => (scale * t - seen[n]!) ** 2));
}
