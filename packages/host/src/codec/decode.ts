import { InputError } from '@whylight/core';
import { type Picture, picture } from '@whylight/core/image';
import sharp from 'sharp';
import { bmpPixels, bmpSize } from './bmp.ts';
import { type MediaType, sniffMediaType } from './media-type.ts';

/** What the service takes. */
export const servicePhotoTypes = ['image/jpeg', 'image/png', 'image/webp'] as const;
/** What can be decoded at all; the command line takes them. */
export const photoTypes = [...servicePhotoTypes, 'image/gif', 'image/bmp'] as const;
export type PhotoType = (typeof photoTypes)[number];

export interface DecodeLimits {
  readonly maxPixels?: number;
  readonly maxBytes?: number;
  readonly allow?: readonly PhotoType[];
}

/** JPEG's own limit; keeps out pictures that are one line of millions of pixels. */
const maxSide = 65_535;

// Decoded photos are used once: libvips' cache would only hold memory.
sharp.cache(false);

/**
 * A photo's size by its header, before a pixel is decoded, as it is stored.
 *
 * @throws InputError as `decodeImage` does, of what shows without decoding.
 */
export async function sizeOfImage(
  bytes: Uint8Array,
  { maxPixels = 25_000_000, maxBytes = 26_214_400, allow = servicePhotoTypes }: DecodeLimits = {},
): Promise<{ media: MediaType; width: number; height: number }> {
  if (bytes.length === 0) throw new InputError('invalid_image', 'The image is empty: it has no bytes.');
  if (bytes.length > maxBytes)
    throw new InputError(
      'image_too_large',
      `The image has ${bytes.length} bytes; at most ${maxBytes} are taken.`,
    );
  const media = allowedType(bytes, allow);

  const { width, height } = await readHeader(bytes, media);
  if (width * height > maxPixels || Math.max(width, height) > maxSide)
    throw new InputError(
      'image_too_large',
      `The image is ${width}×${height}; at most ${maxPixels} pixels are taken, and ${maxSide} on a side.`,
    );
  return { media, width, height };
}

/**
 * A photo's bytes as upright 8-bit sRGB.
 *
 * The type is told by the bytes, the size by the header, and both are judged before a pixel is decoded. The EXIF
 * orientation is applied. Transparency is laid over white; 16 bit, grey, palette and CMYK become 8-bit RGB;
 * what a colour profile says is converted to sRGB; of an animation the first frame counts.
 *
 * @throws InputError unsupported_media_type for what is no allowed photo type, image_too_large beyond a limit,
 *   invalid_image for what cannot be decoded to its end.
 */
export async function decodeImage(bytes: Uint8Array, limits: DecodeLimits = {}): Promise<Picture> {
  const { maxPixels = 25_000_000 } = limits;
  const { media, width, height } = await sizeOfImage(bytes, limits);
  try {
    if (media.type === 'image/bmp') return picture(width, height, bmpPixels(bytes));
    const { data, info } = await sharp(bytes, {
      // Below this, JPEG data that ends early or cannot be read is painted grey without a word.
      failOn: 'warning',
      limitInputPixels: maxPixels,
      sequentialRead: true,
      pages: 1,
    })
      .autoOrient()
      .flatten({ background: 'white' })
      .toColourspace('srgb')
      .raw()
      .timeout({ seconds: 30 })
      .toBuffer({ resolveWithObject: true });
    return picture(info.width, info.height, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  } catch {
    // The decoder's own words may name its parts and files, and say little to the user.
    throw new InputError(
      'invalid_image',
      `The image (${media.name}, ${width}×${height}) is damaged or cut short: it cannot be decoded to its end.`,
    );
  }
}

function allowedType(bytes: Uint8Array, allow: readonly PhotoType[]): MediaType {
  const media = sniffMediaType(bytes);
  if (media === null)
    throw new InputError('invalid_image', 'The bytes are no image: they begin like none that is known.');
  if (!(allow as readonly string[]).includes(media.type)) {
    const names = allow.map((type) => type.replace('image/', '')).join(', ');
    throw new InputError(
      'unsupported_media_type',
      `The bytes look like ${media.name}, which is not taken; send one of ${names}.`,
    );
  }
  return media;
}

async function readHeader(bytes: Uint8Array, media: MediaType): Promise<{ width: number; height: number }> {
  try {
    if (media.type === 'image/bmp') return bmpSize(bytes);
    // The size is judged by us, with a better sentence.
    const { width, height } = await sharp(bytes, { limitInputPixels: false }).metadata();
    return { width, height };
  } catch {
    throw new InputError(
      'invalid_image',
      `The image begins like ${media.name}, but its header cannot be read.`,
    );
  }
}
