import { z } from 'zod';
import type { Method } from '../method.ts';
import { perRow } from './noise.ts';

/** The factor of each copy of the image, and whether the copy is mirrored, as in pytorch-grad-cam. */
const copies = [false, true].flatMap((mirrored) => [0.9, 1, 1.1].map((factor) => ({ mirrored, factor })));

const augSmooth = z
  .boolean()
  .default(false)
  .describe('The mean of the maps of six copies of the image: as it is and mirrored, times 0.9, 1 and 1.1');

/** Methods whose classes in pytorch-grad-cam do not take `aug_smooth`. */
const without = ['finer-cam', 'refine-cam'];

/** Adds the parameter `aug_smooth` to a method, if the method is a map that has it in pytorch-grad-cam. */
export const withAugmentation = (method: Method): Method =>
  method.kind === 'map' && method.conventions.includes('pytorch-grad-cam') && !without.includes(method.id)
    ? {
        ...method,
        parameters: (method.parameters as unknown as z.ZodObject).extend({ aug_smooth: augSmooth }),
        only: { ...method.only, aug_smooth: ['pytorch-grad-cam'] },
        variant: (parameters) => (parameters.aug_smooth ? augmented(method) : undefined),
      }
    : method;

/**
 * Averages a method's maps over augmented copies of the image; the maps of mirrored copies are mirrored back. Each map
 * is scaled by its own range before that.
 *
 * @see `aug_smooth` of pytorch-grad-cam
 */
const augmented = (method: Method): Method => ({
  ...method,
  sampled: true,
  explain({ image, at, over }, setting) {
    const samples = {
      factor: perRow(copies.map(({ factor }) => factor)),
      mirrored: perRow(copies.map(({ mirrored }) => Number(mirrored))),
      share: perRow(copies.map(() => 1 / copies.length)),
    };
    const mirror = image.flip([setting.layout === 'NCHW' ? 3 : 2]);
    return over(
      samples,
      ({ factor, mirrored, share }) => {
        const isMirrored = mirrored.isGreater(0.5);
        const seen = isMirrored.where(mirror, image).mul(factor);
        const maps = method.explain(at(seen), { ...setting, tellScale: undefined });
        const perMap = [maps.shape[0]!, 1, 1];
        const back = isMirrored.reshape(perMap).where(maps.flip([2]), maps);
        return back.mul(share.reshape(perMap)).sum([0]);
      },
      { oneByOne: method.sampled === true },
    );
  },
});
