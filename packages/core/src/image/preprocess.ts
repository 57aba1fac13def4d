import { InputError } from '../errors.ts';
import type { Tensor } from '../tensor.ts';
import { float32 } from '../tensor.ts';
import { centreCrop, resizedSize } from './geometry.ts';
import type { Picture, Region } from './picture.ts';
import { picture } from './picture.ts';
import type { Filter } from './resample.ts';
import { filters } from './resample.ts';
import { resize } from './resize.ts';

/** How a photo becomes a network's input, as a model's manifest states it. */
export interface Preprocessing {
  readonly layout: 'NCHW' | 'NHWC';
  /** Order of the channels in the tensor; `mean` and `std` are in that order. */
  readonly channels: 'RGB' | 'BGR';
  /** Range before mean and std: 0..1 or 0..255. */
  readonly scale: 'x/255' | 'x';
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** null: no resize. */
  readonly resize_short_side: number | null;
  /** Pillow's name of the filter, what follows it is a remark: 'bilinear, antialiased (as PIL)'. */
  readonly resample: string;
  /** null: no crop, the tensor has the resized photo's size. */
  readonly center_crop: number | null;
}

/** A whole photo resized without a crop may not exceed this many pixels. */
const maximumPixels = 25_000_000;

/**
 * Resize, centre crop, scale, normalise: torchvision's Resize, CenterCrop, ToTensor and Normalize, in float32.
 *
 * @returns `input` [1, 3, H, W] or [1, H, W, 3]; `crop`, the 8-bit picture that the network saw; `region`, where
 *   it lies on the photo, in photo pixels (beyond the photo where the crop was padded with black).
 * @throws InputError invalid_parameter for preprocessing that cannot be, image_too_large for a photo whose
 *   resized form is.
 */
export function preprocess(
  photo: Picture,
  preprocessing: Preprocessing,
): { input: Tensor<'float32'>; region: Region; crop: Picture } {
  const { resize_short_side: short, center_crop: side } = preprocessing;
  const size = short === null ? { width: photo.width, height: photo.height } : resizedSize(photo, short);
  const place = side === null ? { x: 0, y: 0, ...size } : centreCrop(size, side);
  if (place.width * place.height > maximumPixels)
    throw new InputError(
      'image_too_large',
      `the photo of ${photo.width}×${photo.height} would be resized to ${size.width}×${size.height}: ` +
        `at most ${maximumPixels} pixels`,
    );
  const crop = cropOf(photo, size, place, filterOf(preprocessing.resample));
  const across = photo.width / size.width;
  const down = photo.height / size.height;
  const region = {
    x: place.x * across,
    y: place.y * down,
    width: place.width * across,
    height: place.height * down,
  };
  return { input: normalise(crop, preprocessing), region, crop };
}

/** The part of the resized photo that lies in `place`, on black. */
function cropOf(
  photo: Picture,
  size: { width: number; height: number },
  place: Region,
  filter: Filter,
): Picture {
  const x = Math.max(place.x, 0);
  const y = Math.max(place.y, 0);
  const inside = {
    x,
    y,
    width: Math.min(place.x + place.width, size.width) - x,
    height: Math.min(place.y + place.height, size.height) - y,
  };
  const part = resize(photo, size.width, size.height, filter, inside);
  if (part.width === place.width && part.height === place.height) return part;
  const data = new Uint8Array(place.width * place.height * 3);
  for (let row = 0; row < part.height; row++)
    data.set(
      part.data.subarray(row * part.width * 3, (row + 1) * part.width * 3),
      ((y - place.y + row) * place.width + x - place.x) * 3,
    );
  return picture(place.width, place.height, data);
}

/** (x · scale - mean) / std per channel. */
function normalise(crop: Picture, { layout, channels, scale, mean, std }: Preprocessing): Tensor<'float32'> {
  if (mean.length !== 3 || std.length !== 3 || std.some((value) => !(value > 0)))
    throw new InputError(
      'invalid_parameter',
      `preprocessing: mean and std must be three numbers each, std positive; got [${mean}] and [${std}]`,
    );
  const pixels = crop.width * crop.height;
  const values = new Float32Array(pixels * 3);
  for (let channel = 0; channel < 3; channel++) {
    const source = channels === 'RGB' ? channel : 2 - channel;
    const table = levels(scale, mean[channel]!, std[channel]!);
    for (let i = 0; i < pixels; i++)
      values[layout === 'NCHW' ? channel * pixels + i : i * 3 + channel] = table[crop.data[i * 3 + source]!]!;
  }
  const { width, height } = crop;
  return float32(layout === 'NCHW' ? [1, 3, height, width] : [1, height, width, 3], values);
}

/** The 256 values that a channel can take, each step rounded to float32 as in torch. */
function levels(scale: Preprocessing['scale'], mean: number, std: number): Float32Array {
  const f = Math.fround;
  return Float32Array.from({ length: 256 }, (_, x) => {
    const scaled = scale === 'x/255' ? f(x / 255) : x;
    return f(f(scaled - f(mean)) / f(std));
  });
}

/**
 * 'bilinear, antialiased (as PIL)' → 'bilinear'.
 *
 * @throws InputError invalid_parameter for a filter that Pillow does not have.
 */
export function filterOf(resample: string): Filter {
  const name = /^[a-z]+/i.exec(resample.trim())?.[0].toLowerCase();
  const filter = filters.find((known) => known === name);
  if (filter === undefined)
    throw new InputError(
      'invalid_parameter',
      `preprocessing: resample must be one of ${filters.join(', ')}; got "${resample}"`,
    );
  return filter;
}
