import { InputError } from '../errors.ts';
import type { Tensor } from '../tensor.ts';
import { float32 } from '../tensor.ts';
import { channelOrder, withChannels } from './channels.ts';
import { type Placement, placementOf } from './geometry.ts';
import { type Raster, type Region, raster } from './picture.ts';
import { channelCount, type Preprocessing } from './preprocessing.ts';
import { resizedRaster } from './resize-raster.ts';

/** A whole photo resized without a crop may not exceed this many pixels. */
const maximumPixels = 25_000_000;

/**
 * Resizes, crops or pads, scales, normalises as torchvision's Resize, CenterCrop, ToTensor, Normalize do, in float32.
 *
 * @returns `input` [1, C, H, W] or [1, H, W, C]; `crop`, the pixels that the network saw; `region`, their position on
 *   the photo, in photo pixels (beyond the photo if there is padding).
 * @throws InputError invalid_parameter for impossible preprocessing, invalid_image for a photo without the network's
 *   channels, image_too_large for a photo that is too large after the resize.
 */
export function preprocess(
  photo: Raster,
  preprocessing: Preprocessing,
): { input: Tensor<'float32'>; region: Region; crop: Raster } {
  checkNumbers(preprocessing);
  const placement = placementOf(photo, preprocessing);
  const { resized, window } = placement;
  if (window.width * window.height > maximumPixels)
    throw new InputError(
      'image_too_large',
      `the photo of ${photo.width}×${photo.height} would be resized to ${resized.width}×${resized.height}: ` +
        `at most ${maximumPixels} pixels`,
    );
  const source = withChannels(photo, preprocessing.channels);
  const crop = cropOf(source, placement, preprocessing);
  const across = photo.width / resized.width;
  const down = photo.height / resized.height;
  const region = {
    x: window.x * across,
    y: window.y * down,
    width: window.width * across,
    height: window.height * down,
  };
  return { input: normalise(crop, preprocessing, channelOrder(preprocessing.channels)), region, crop };
}

/** Cuts out the part of the resized photo in the window, on black or, letterboxed, on the padding's colour. */
function cropOf(
  photo: Raster,
  { resized, window }: Placement,
  { resample, fit, pad_color }: Preprocessing,
): Raster {
  const x = Math.max(window.x, 0);
  const y = Math.max(window.y, 0);
  const inside = {
    x,
    y,
    width: Math.min(window.x + window.width, resized.width) - x,
    height: Math.min(window.y + window.height, resized.height) - y,
  };
  const part = resizedRaster(photo, resized.width, resized.height, resample, inside);
  if (part.width === window.width && part.height === window.height) return part;
  const { channels } = photo;
  const length = window.width * window.height * channels;
  const data = part.data instanceof Uint8Array ? new Uint8Array(length) : new Float32Array(length);
  if (fit === 'letterbox') fill(data, padding(pad_color, photo));
  for (let row = 0; row < part.height; row++)
    data.set(
      part.data.subarray(row * part.width * channels, (row + 1) * part.width * channels),
      ((y - window.y + row) * window.width + x - window.x) * channels,
    );
  return raster(window.width, window.height, channels, data);
}

/** Returns the padding's colour in an 8-bit picture's channels; bands, whose range is the file's own, get padding 0. */
function padding(color: Preprocessing['pad_color'], { channels, data }: Raster): readonly number[] {
  if (!(data instanceof Uint8Array)) return Array<number>(channels).fill(0);
  const pixel = raster(1, 1, 3, Uint8Array.from(color));
  return [...withChannels(pixel, channels === 1 ? 'gray' : channels === 4 ? 'rgba' : 'rgb').data];
}

function fill(data: Uint8Array | Float32Array, pixel: readonly number[]): void {
  for (let i = 0; i < data.length; i++) data[i] = pixel[i % pixel.length] ?? 0;
}

/** Computes (pixel · scale - mean) / std, each step rounded to float32 as in torch. */
function normalise(
  crop: Raster,
  { layout, scale, mean, std }: Preprocessing,
  order: readonly number[],
): Tensor<'float32'> {
  const { width, height } = crop;
  const channels = order.length;
  const pixels = width * height;
  const values = new Float32Array(pixels * channels);
  const f = Math.fround;
  order.forEach((source, channel) => {
    const [shift, divisor] = [f(ofChannel(mean, channel)), f(ofChannel(std, channel))];
    const value = (x: number) => f(f(f(x * scale) - shift) / divisor);
    const levels =
      crop.data instanceof Uint8Array ? Float32Array.from({ length: 256 }, (_, x) => value(x)) : null;
    for (let i = 0; i < pixels; i++) {
      const x = crop.data[i * crop.channels + source]!;
      values[layout === 'NCHW' ? channel * pixels + i : i * channels + channel] = levels
        ? levels[x]!
        : value(x);
    }
  });
  return float32(layout === 'NCHW' ? [1, channels, height, width] : [1, height, width, channels], values);
}

const ofChannel = (values: readonly number[], channel: number): number =>
  values.length === 1 ? values[0]! : values[channel]!;

/** @throws InputError invalid_parameter unless mean and std have one number for each channel, or one for all */
function checkNumbers({ mean, std, channels }: Preprocessing): void {
  const count = channelCount(channels);
  const fits = ({ length }: readonly number[]) => length === 1 || length === count;
  if (fits(mean) && fits(std) && std.every((value) => value > 0)) return;
  throw new InputError(
    'invalid_parameter',
    `preprocessing: mean and std must be one number each, or ${count} each for ${count === 1 ? 'one channel' : `${count} channels`}, std positive; got [${mean}] and [${std}]`,
  );
}
