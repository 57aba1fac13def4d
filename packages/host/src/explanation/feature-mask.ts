import { InputError, int64, type Tensor } from '@whylight/core';
import type { Picture, Preprocessing, Region } from '@whylight/core/image';

/**
 * Converts a mask over a photo to the size of the network: [1, H, W] or [H, W, 1], with one feature number for each colour, in
 * the order in which the colours first appear. It takes nearest pixels, which create no new colours; padding beyond the photo
 * gets the feature of the edge.
 *
 * @throws InputError invalid_image if the mask has another size than the photo
 */
export function featureMask(
  mask: Picture,
  photo: Picture,
  region: Region,
  inputShape: readonly number[],
  { layout }: Preprocessing,
): Tensor<'int64'> {
  if (mask.width !== photo.width || mask.height !== photo.height)
    throw new InputError(
      'invalid_image',
      `feature mask: expected the photo's size, ${photo.width}×${photo.height}, got ${mask.width}×${mask.height}`,
    );
  const [height, width] = (layout === 'NCHW' ? inputShape.slice(2) : inputShape.slice(1, 3)) as [
    number,
    number,
  ];
  const nearest = (start: number, extent: number, i: number, size: number, length: number) =>
    Math.min(Math.max(Math.floor(start + ((i + 0.5) * extent) / size), 0), length - 1);
  const numbers = new Map<number, number>();
  const features = Array.from({ length: height * width }, (_, p) => {
    const y = nearest(region.y, region.height, Math.floor(p / width), height, mask.height);
    const x = nearest(region.x, region.width, p % width, width, mask.width);
    const at = (y * mask.width + x) * 3;
    const colour = (mask.data[at]! << 16) | (mask.data[at + 1]! << 8) | mask.data[at + 2]!;
    const number = numbers.get(colour) ?? numbers.size;
    numbers.set(colour, number);
    return number;
  });
  return int64(layout === 'NCHW' ? [1, height, width] : [height, width, 1], features);
}
