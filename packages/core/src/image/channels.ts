import { InputError } from '../errors.ts';
import { type Raster, raster } from './picture.ts';
import type { Preprocessing } from './preprocessing.ts';

type Channels = Preprocessing['channels'];

/**
 * Converts a photo in grey, RGB or RGBA, or a file of bands, to the channels that a network takes. Grey is computed
 * before the photo is resized, as in `Image.open(path).convert('L')`.
 *
 * @throws InputError invalid_image if the network takes another number of bands than the file has
 */
export function withChannels(photo: Raster, channels: Channels): Raster {
  switch (channels) {
    case 'rgb':
    case 'bgr':
      return photo.channels === 1
        ? repeated(photo)
        : photo.channels === 4
          ? withoutAlpha(photo)
          : of(photo, 3);
    case 'gray':
      return photo.channels === 3 || photo.channels === 4 ? luminance(photo) : of(photo, 1);
    case 'rgba':
      return photo.channels === 3
        ? opaque(photo)
        : photo.channels === 1
          ? opaque(repeated(photo))
          : of(photo, 4);
    default:
      return of(photo, channels);
  }
}

/** Lists, for each channel of the tensor, its index among the channels of `withChannels`. */
export function channelOrder(channels: Channels): readonly number[] {
  if (channels === 'bgr') return [2, 1, 0];
  const count = typeof channels === 'number' ? channels : { rgb: 3, gray: 1, rgba: 4 }[channels];
  return Array.from({ length: count }, (_, i) => i);
}

function of(photo: Raster, expected: number): Raster {
  if (photo.channels === expected) return photo;
  const bands = (count: number) => (count === 1 ? 'one band' : `${count} bands`);
  throw new InputError(
    'invalid_image',
    `the network takes images with ${bands(expected)}, but this file has ${bands(photo.channels)}; if that is wrong, --channels says what the network takes`,
  );
}

/** Computes ITU-R 601-2 luma as Pillow's `convert('L')` does, in 16 bits of fraction. */
function luminance({ width, height, channels, data }: Raster): Raster {
  const rounded = data instanceof Uint8Array;
  const grey = rounded ? new Uint8Array(width * height) : new Float32Array(width * height);
  for (let p = 0, at = 0; p < grey.length; p++, at += channels) {
    const sum = data[at]! * 19_595 + data[at + 1]! * 38_470 + data[at + 2]! * 7_471;
    grey[p] = rounded ? (sum + 0x8000) >> 16 : sum / 65_536;
  }
  return raster(width, height, 1, grey);
}

const withoutAlpha = (photo: Raster): Raster => mapped(photo, [0, 1, 2]);
const repeated = (photo: Raster): Raster => mapped(photo, [0, 0, 0]);
const opaque = (photo: Raster): Raster => mapped(photo, [0, 1, 2, null]);

/** Copies the channels `from`, in this order; null gives 255. */
function mapped({ width, height, channels, data }: Raster, from: readonly (number | null)[]): Raster {
  const length = width * height * from.length;
  const out = data instanceof Uint8Array ? new Uint8Array(length) : new Float32Array(length);
  for (let p = 0; p < width * height; p++)
    from.forEach((channel, c) => {
      out[p * from.length + c] = channel === null ? 255 : data[p * channels + channel]!;
    });
  return raster(width, height, from.length, out);
}
