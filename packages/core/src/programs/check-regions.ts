import { InputError } from '../errors.ts';
import type { Classifier } from '../model/classifier.ts';
import { row, type Tensor } from '../tensor.ts';
import type { Outcome } from './outcome.ts';

const refused = (message: string) => new InputError('invalid_parameter', `region: ${message}`, ['region']);

/** @throws InputError invalid_parameter for regions that are none of the classifier's maps */
export function checkRegions(
  { pixels, head }: Classifier,
  { shape, data }: Tensor<'float32'>,
  count: number,
): void {
  if (!pixels)
    throw refused(`output "${head.output}" is explained as a whole; ask for a score over a region of it`);
  const expected = [count, ...pixels];
  if (shape.join() !== expected.join())
    throw refused(
      `expected [${expected.join(', ')}], a number for each pixel of the maps; got [${shape.join(', ')}]`,
    );
  const size = pixels[0] * pixels[1];
  for (let n = 0; n < count; n++) {
    const own = data.subarray(n * size, (n + 1) * size);
    if (!own.every((weight) => weight === -1 || (weight >= 0 && weight < Number.POSITIVE_INFINITY)))
      throw refused('expected weights from 0 on, or -1 for where the model predicts the class');
    if (own.every((weight) => weight === 0))
      throw refused('it has no pixel of the maps, so that there is nothing to explain');
  }
}

/** @throws InputError target_out_of_range where a region is what the model predicts a class at, and it does so nowhere */
export function checkPredicted({ pixels, targets }: Outcome, regions: Tensor<'float32'> | undefined): void {
  if (!pixels) return;
  targets.forEach((target, n) => {
    const counts = Array.from(row(pixels, n).data as Float32Array);
    const isSaid = regions && (row(regions, n).data as Float32Array).some((weight) => weight > 0);
    if (isSaid || counts[target]! > 0) return;
    const there = counts
      .map((count, index) => ({ count, index }))
      .filter(({ count }) => count > 0)
      .sort((a, b) => b.count - a.count)
      .slice(0, 5)
      .map(({ count, index }) => `class ${index} at ${count}`);
    throw new InputError(
      'target_out_of_range',
      `region: the model predicts class ${target} at no pixel; it predicts ${there.join(', ') || 'none'}; choose another class, or a region by its place`,
      ['region'],
    );
  });
}
