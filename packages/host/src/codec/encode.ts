import type { Picture } from '@whylight/core/image';
import sharp from 'sharp';

/**
 * A picture as PNG: pixels only, no metadata. Filters chosen row by row at a low level give smaller files of photos
 * than the highest level does without, in the time of the lowest; of a `flat` picture, one of few colours, they give
 * larger ones in twice the time.
 */
export async function encodePng(
  { data, width, height }: Picture,
  { flat = false }: { flat?: boolean } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const png = await sharp(data, { raw: { width, height, channels: 3 } })
    .png(flat ? { compressionLevel: 6 } : { compressionLevel: 3, adaptiveFiltering: true })
    .toBuffer();
  return new Uint8Array(png);
}

/** A picture as JPEG, for streams of them. */
export async function encodeJpeg({ data, width, height }: Picture): Promise<Uint8Array<ArrayBuffer>> {
  const jpeg = await sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 85 })
    .toBuffer();
  return new Uint8Array(jpeg);
}
