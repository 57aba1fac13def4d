import { getOwn, InputError, readNpy } from '@whylight/core';
import {
  channelCount,
  type Picture,
  type Preprocessing,
  picture,
  type Raster,
  raster,
} from '@whylight/core/image';
import sharp, { type Sharp } from 'sharp';
import { bandsOfNpy, bandsOfTiff, pictureOfBands } from './bands.ts';
import { bmpPixels, bmpSize } from './bmp.ts';
import { stretchedLevels } from './deep.ts';
import { type MediaType, sniffMediaType } from './media-type.ts';

/** What the service takes. */
export const servicePhotoTypes = ['image/jpeg', 'image/png', 'image/webp'] as const;
/** What can be decoded at all; the command line takes them. */
export const photoTypes = [
  ...servicePhotoTypes,
  ...(['image/gif', 'image/bmp', 'image/tiff', 'image/avif', 'application/x-npy'] as const),
] as const;
export type PhotoType = (typeof photoTypes)[number];

export interface DecodeLimits {
  readonly maxPixels?: number;
  readonly maxBytes?: number;
  readonly allow?: readonly PhotoType[];
}

interface Header {
  readonly width: number;
  readonly height: number;
  /** Of a sample; not told of every type. */
  readonly depth?: string;
}

/** How to get a file that can be read, of what people have and cannot send. */
const remedies: Readonly<Record<string, string>> = {
  'image/heif':
    'Convert it to JPEG first: "heif-convert photo.heic photo.jpg", on a Mac "sips -s format jpeg photo.heic --out photo.jpg"; an iPhone takes JPEG under Settings, Camera, Formats, Most Compatible.',
  'application/dicom':
    'Convert it first, in the window that a reader sees: "dcmj2pnm --write-png --use-window 1 image.dcm image.png" (DCMTK); or save the numbers, in Python: ds = pydicom.dcmread("image.dcm"); numpy.save("image.npy", pydicom.pixels.apply_modality_lut(ds.pixel_array, ds)).',
  'image/jp2': 'Convert it to PNG first, for example by "opj_decompress -i photo.jp2 -o photo.png".',
  'image/jxl': 'Convert it to PNG first, for example by "djxl photo.jxl photo.png".',
};

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
): Promise<{ media: MediaType } & Header> {
  if (bytes.length === 0) throw new InputError('invalid_image', 'The image is empty: it has no bytes.');
  if (bytes.length > maxBytes)
    throw new InputError(
      'image_too_large',
      `The image has ${bytes.length} bytes; at most ${maxBytes} are taken.`,
    );
  const media = allowedType(bytes, allow);

  const header = await readHeader(bytes, media);
  const { width, height } = header;
  if (width * height > maxPixels || Math.max(width, height) > maxSide)
    throw new InputError(
      'image_too_large',
      `The image is ${width}×${height}; at most ${maxPixels} pixels are taken, and ${maxSide} on a side.`,
    );
  return { media, ...header };
}

/**
 * A photo's bytes as upright 8-bit sRGB.
 *
 * The type is told by the bytes, the size by the header, and both are judged before a pixel is decoded. The EXIF
 * orientation is applied. Transparency is laid over white; 16 bit, grey, palette and CMYK become 8-bit RGB; 12 bits in
 * a file of 16 are stretched; what a colour profile says is converted to sRGB; of an animation the first frame counts.
 *
 * @throws InputError unsupported_media_type for what is no allowed photo type, image_too_large beyond a limit,
 *   invalid_image for what cannot be decoded to its end.
 */
export async function decodeImage(bytes: Uint8Array, limits: DecodeLimits = {}): Promise<Picture> {
  const { maxPixels = 25_000_000 } = limits;
  const { media, width, height, depth } = await sizeOfImage(bytes, limits);
  if (media.type === 'application/x-npy') return pictureOfBands(bandsOfNpy(bytes, bandCount(bytes)));
  if (depth === 'float' || depth === 'double')
    throw new InputError(
      'invalid_image',
      `The image (${media.name}, ${width}×${height}) holds floats, whose range nobody states: save it with 8 or 16 bits, or as .npy for a network that takes bands.`,
    );
  try {
    if (media.type === 'image/bmp') return picture(width, height, bmpPixels(bytes));
    const upright = () => opened(bytes, media, maxPixels).flatten({ background: 'white' });
    if (depth === 'ushort') {
      const stretched = await stretchedLevels(upright());
      if (stretched) return picture(stretched.width, stretched.height, stretched.data);
    }
    const { data, info } = await upright().toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
    return picture(info.width, info.height, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  } catch {
    // The decoder's own words may name its parts and files, and say little to the user.
    throw new InputError(
      'invalid_image',
      `The image (${media.name}, ${width}×${height}) is damaged or cut short: it cannot be decoded to its end.`,
    );
  }
}

/** A photo as a network takes it, and as people see it. */
export interface Photo {
  readonly pixels: Raster;
  readonly picture: Picture;
}

/**
 * A photo for a network that takes those channels: with its transparency for RGBA, and as the bands of a TIFF or of an
 * array where that many are wanted, or the array has no others.
 *
 * @throws InputError as `decodeImage` does, and invalid_image for a file without so many bands
 */
export async function decodePhoto(
  bytes: Uint8Array,
  channels: Preprocessing['channels'],
  limits: DecodeLimits = {},
): Promise<Photo> {
  const { media } = await sizeOfImage(bytes, limits);
  const count = channelCount(channels);
  const isArray = media.type === 'application/x-npy';
  if (isArray || (media.type === 'image/tiff' && typeof channels === 'number' && channels !== 3)) {
    const pixels = isArray ? bandsOfNpy(bytes, count) : await bandsOfTiff(bytes, count);
    return { pixels, picture: pictureOfBands(pixels) };
  }
  const shown = await decodeImage(bytes, limits);
  if (channels !== 'rgba' || media.type === 'image/bmp') return { pixels: shown, picture: shown };
  const { maxPixels = 25_000_000 } = limits;
  const { data, info } = await opened(bytes, media, maxPixels)
    .ensureAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  const pixels = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { pixels: raster(info.width, info.height, 4, pixels), picture: shown };
}

/** Upright, the first frame or page. */
const opened = (bytes: Uint8Array, { type }: MediaType, maxPixels: number): Sharp =>
  sharp(bytes, {
    // Below this, JPEG data that ends early or cannot be read is painted grey without a word. A TIFF with tags of
    // another trade, such as a map's, gives warnings too.
    failOn: type === 'image/tiff' ? 'error' : 'warning',
    limitInputPixels: maxPixels,
    sequentialRead: true,
    pages: 1,
  })
    .autoOrient()
    .timeout({ seconds: 30 });

/** How many bands an array is likely to have: the smaller of its outer axes. */
function bandCount(bytes: Uint8Array): number {
  const { shape } = readNpy(bytes);
  const [first, , last] = shape.length === 4 ? shape.slice(1) : shape;
  return shape.length === 2 ? 1 : Math.min(first ?? 1, last ?? 1);
}

function allowedType(bytes: Uint8Array, allow: readonly PhotoType[]): MediaType {
  const media = sniffMediaType(bytes);
  if (media === null)
    throw new InputError('invalid_image', 'The bytes are no image: they begin like none that is known.');
  if (!(allow as readonly string[]).includes(media.type)) {
    const names = allow.map((type) => type.replace(/^(image\/|application\/x-)/, '')).join(', ');
    const remedy = getOwn(remedies, media.type);
    throw new InputError(
      'unsupported_media_type',
      `The bytes look like ${media.name}, which is not taken; send one of ${names}.${remedy ? ` ${remedy}` : ''}`,
    );
  }
  return media;
}

async function readHeader(bytes: Uint8Array, media: MediaType): Promise<Header> {
  if (media.type === 'application/x-npy') return bandsOfNpy(bytes, bandCount(bytes));
  try {
    if (media.type === 'image/bmp') return bmpSize(bytes);
    // The size is judged by us, with a better sentence.
    const { width, height, depth } = await sharp(bytes, { limitInputPixels: false }).metadata();
    return { width, height, depth };
  } catch {
    throw new InputError(
      'invalid_image',
      `The image begins like ${media.name}, but its header cannot be read.`,
    );
  }
}
