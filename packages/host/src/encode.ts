import type { Picture } from '@whylight/core/image';
import sharp from 'sharp';

/**
 * A picture as PNG: pixels only, no metadata. Filters chosen row by row at a low level give smaller files of photos
 * than the highest level does without, in the time of the lowest.
 */
export async function encodePng({ data, width, height }: Picture): Promise<Uint8Array<ArrayBuffer>> {
  const png = await sharp(data, { raw: { width, height, channels: 3 } })
    .png({ compressionLevel: 3, adaptiveFiltering: true })
    .toBuffer();
  return new Uint8Array(png);
}
