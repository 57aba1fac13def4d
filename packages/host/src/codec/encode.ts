import type { Picture } from '@whylight/core/image';
import sharp from 'sharp';

/**
 * Encodes a picture as PNG, without metadata. For photos, filters chosen row by row at a low compression level give smaller
 * files than the highest level without filters, in the time of the lowest. For a `flat` picture, which has few colours, they
 * would give larger files in twice the time.
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

/** Encodes a picture as JPEG, for video streams. */
export async function encodeJpeg({ data, width, height }: Picture): Promise<Uint8Array<ArrayBuffer>> {
  const jpeg = await sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 85 })
    .toBuffer();
  return new Uint8Array(jpeg);
}
