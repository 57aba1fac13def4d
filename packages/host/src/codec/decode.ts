import { getOwn, InputError, readNpy, type Warning } from '@whylight/core';
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

/** The types that the service accepts. */
export const servicePhotoTypes = ['image/jpeg', 'image/png', 'image/webp'] as const;
/** The types that can be decoded. The command line accepts all of them. */
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
  /** Depth of a sample; not known for every type. */
  readonly depth?: string;
  /** How many frames or pages the file has; absent for one. */
  readonly pages?: number | undefined;
}

/** Advice to convert common types that cannot be decoded. */
const remedies: Readonly<Record<string, string>> = {
  'image/heif':
    'Convert it to JPEG first: "heif-convert photo.heic photo.jpg", on a Mac "sips -s format jpeg photo.heic --out photo.jpg"; an iPhone takes JPEG under Settings, Camera, Formats, Most Compatible.',
  'application/dicom':
    'Convert it first, in the window that a reader sees: "dcmj2pnm --write-png --use-window 1 image.dcm image.png" (DCMTK); or save the numbers, in Python: ds = pydicom.dcmread("image.dcm"); numpy.save("image.npy", pydicom.pixels.apply_modality_lut(ds.pixel_array, ds)).',
  'image/jp2': 'Convert it to PNG first, for example by "opj_decompress -i photo.jp2 -o photo.png".',
  'image/jxl': 'Convert it to PNG first, for example by "djxl photo.jxl photo.png".',
};

/** The limit of JPEG. It refuses pictures that are one line of millions of pixels. */
const maxSide = 65_535;

// Each decoded photo is used once, so the cache of libvips would only waste memory.
sharp.cache(false);

/**
 * Reads the stored size of a photo from its header, before it decodes a pixel.
 *
 * @throws InputError as `decodeImage` does, for errors that show without decoding.
 */
export async function sizeOfImage(
  bytes: Uint8Array,
  { maxPixels = 25_000_000, maxBytes = 26_214_400, allow = servicePhotoTypes }: DecodeLimits = {},
): Promise<{ media: MediaType } & Header> {
  if (bytes.length === 0) throw new InputError('invalid_image', 'The image is empty: it has no bytes.');
  if (bytes.length > maxBytes)
    throw new InputError(
      'image_too_large',
      `The image has ${bytes.length} bytes; expected at most ${maxBytes}.`,
    );
  const media = allowedType(bytes, allow);

  const header = await readHeader(bytes, media);
  const { width, height } = header;
  if (width * height > maxPixels || Math.max(width, height) > maxSide)
    throw new InputError(
      'image_too_large',
      `The image is ${width}×${height}; expected at most ${maxPixels} pixels, and at most ${maxSide} on each side.`,
    );
  return { media, ...header };
}

/**
 * Decodes a photo as upright 8-bit sRGB.
 *
 * It reads the type from the bytes and the size from the header, and checks both before it decodes a pixel. It applies the
 * EXIF orientation, lays transparency over white, converts 16 bit, grey, palette and CMYK to 8-bit RGB, stretches 12 bits in a
 * file of 16, converts a colour profile to sRGB, and takes the first frame of an animation.
 *
 * @throws InputError unsupported_media_type for another type, image_too_large beyond a limit, invalid_image if the photo
 *   cannot be decoded to its end.
 */
export async function decodeImage(bytes: Uint8Array, limits: DecodeLimits = {}): Promise<Picture> {
  return decode(bytes, limits, () => {});
}

/** @param heed gets what the decoder says of a file that it can read all the same */
async function decode(
  bytes: Uint8Array,
  limits: DecodeLimits,
  heed: (words: string) => void,
): Promise<Picture> {
  const { maxPixels = 25_000_000 } = limits;
  const { media, width, height, depth } = await sizeOfImage(bytes, limits);
  if (media.type === 'application/x-npy') return pictureOfBands(bandsOfNpy(bytes, bandCount(bytes)));
  if (depth === 'float' || depth === 'double')
    throw new InputError(
      'invalid_image',
      `The image (${media.name}, ${width}×${height}) holds floating-point numbers, and nothing states their range: save it with 8 or 16 bits, or as .npy for a network that takes bands.`,
    );
  try {
    if (media.type === 'image/bmp') return picture(width, height, bmpPixels(bytes));
    const upright = () => opened(bytes, media, maxPixels).flatten({ background: 'white' });
    if (depth === 'ushort') {
      const stretched = await stretchedLevels(upright());
      if (stretched) return picture(stretched.width, stretched.height, stretched.data);
    }
    const pipeline = upright().on('warning', heed).toColourspace('srgb').raw();
    const { data, info } = await pipeline.toBuffer({ resolveWithObject: true });
    return picture(info.width, info.height, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  } catch {
    // The decoder's message may name its own files, and says little to the user.
    throw new InputError(
      'invalid_image',
      `The image (${media.name}, ${width}×${height}) is damaged or incomplete: expected image data to its end.`,
    );
  }
}

/** A photo for the network, and the picture of it for people. */
export interface Photo {
  readonly pixels: Raster;
  readonly picture: Picture;
  /** What the file has and neither of them shows. */
  readonly warnings: readonly Warning[];
}

/**
 * Decodes a photo for a network with these channels: with its transparency for RGBA, and as the bands of a TIFF or an array
 * if the network takes that many, or if the array has no others.
 *
 * @throws InputError as `decodeImage` does, and invalid_image for a file without so many bands
 */
export async function decodePhoto(
  bytes: Uint8Array,
  channels: Preprocessing['channels'],
  limits: DecodeLimits = {},
): Promise<Photo> {
  const { media, pages = 1 } = await sizeOfImage(bytes, limits);
  const warnings: Warning[] = [];
  if (pages > 1)
    warnings.push({
      code: 'first_frame',
      message: `the file has ${pages} frames or pages; Whylight used the first`,
    });
  const count = channelCount(channels);
  const isArray = media.type === 'application/x-npy';
  if (isArray || (media.type === 'image/tiff' && typeof channels === 'number' && channels !== 3)) {
    const pixels = isArray ? bandsOfNpy(bytes, count) : await bandsOfTiff(bytes, count);
    return { pixels, picture: pictureOfBands(pixels), warnings };
  }
  const said: string[] = [];
  const shown = await decode(bytes, limits, (words) => said.push(words));
  // A profile that lacks the intent that was asked for is whole; the decoder takes another intent.
  if (said.some((words) => /profile/i.test(words) && !/intent/i.test(words)))
    warnings.push({
      code: 'damaged_profile',
      message: 'the colour profile in the file is damaged; Whylight took the colours as sRGB',
    });
  if (channels !== 'rgba' || media.type === 'image/bmp') return { pixels: shown, picture: shown, warnings };
  const { maxPixels = 25_000_000 } = limits;
  const { data, info } = await opened(bytes, media, maxPixels)
    .ensureAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  const pixels = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { pixels: raster(info.width, info.height, 4, pixels), picture: shown, warnings };
}

/** Opens the first frame or page, upright. */
const opened = (bytes: Uint8Array, { type }: MediaType, maxPixels: number): Sharp =>
  sharp(bytes, {
    // At a less strict level sharp silently fills JPEG data that ends early or is damaged with grey. A TIFF with unknown
    // tags, such as those of a map, gives warnings, so a TIFF fails on errors only.
    failOn: type === 'image/tiff' ? 'error' : 'warning',
    limitInputPixels: maxPixels,
    sequentialRead: true,
    pages: 1,
  })
    .autoOrient()
    .timeout({ seconds: 30 });

/** Guesses how many bands an array has: the smaller of its outer axes. */
function bandCount(bytes: Uint8Array): number {
  const { shape } = readNpy(bytes);
  const [first, , last] = shape.length === 4 ? shape.slice(1) : shape;
  return shape.length === 2 ? 1 : Math.min(first ?? 1, last ?? 1);
}

const namesOf = (types: readonly PhotoType[]): string =>
  types.map((type) => type.replace(/^(image\/|application\/x-)/, '')).join(', ');

function allowedType(bytes: Uint8Array, allow: readonly PhotoType[]): MediaType {
  const media = sniffMediaType(bytes);
  if (media === null)
    throw new InputError(
      'invalid_image',
      `The file is no image that Whylight can read: its first bytes match no known format. Send one of ${namesOf(allow)}.`,
    );
  if (!(allow as readonly string[]).includes(media.type)) {
    const remedy = getOwn(remedies, media.type);
    throw new InputError(
      'unsupported_media_type',
      `The bytes look like ${media.name}, which Whylight does not read here; send one of ${namesOf(allow)}.${remedy ? ` ${remedy}` : ''}`,
    );
  }
  return media;
}

/** An animated PNG says so before its pixels, in a chunk that the decoder passes over. */
function framesOfPng(bytes: Uint8Array, { type }: MediaType): number | undefined {
  if (type !== 'image/png') return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 8; at + 12 <= bytes.length; at += 12 + view.getUint32(at)) {
    const name = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (name === 'acTL') return view.getUint32(at + 8);
    if (name === 'IDAT') return undefined;
  }
  return undefined;
}

async function readHeader(bytes: Uint8Array, media: MediaType): Promise<Header> {
  if (media.type === 'application/x-npy') return bandsOfNpy(bytes, bandCount(bytes));
  try {
    if (media.type === 'image/bmp') return bmpSize(bytes);
    // The caller refuses large images with a better message.
    const { width, height, depth, pages } = await sharp(bytes, { limitInputPixels: false }).metadata();
    return { width, height, depth, pages: pages ?? framesOfPng(bytes, media) };
  } catch {
    throw new InputError(
      'invalid_image',
      `The image begins like ${media.name}, but its header cannot be read.`,
    );
  }
}
