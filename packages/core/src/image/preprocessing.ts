import type { Resampling } from './resample.ts';

/** Numbers of rows and columns. */
export type Sides = readonly [height: number, width: number];

/**
 * The preprocessing of a photo to a network's input: resize, crop, and (pixel · scale - mean) / std for its numbers.
 * Members are spelled as the flags of the command line.
 *
 * `fit` says how a photo is brought to the size that `resize` names, or to `size` if `resize` is null:
 *
 * - `crop`: it keeps its proportions and covers that size; a number is the short side.
 * - `stretch`: it gets exactly that size; a number is both sides. `resize` [h, w] means this under `crop` too.
 * - `letterbox`: it keeps its proportions, lies in the middle of that size, and `pad_color` fills the rest.
 */
export interface Preprocessing {
  readonly layout: 'NCHW' | 'NHWC';
  /** The network's channels, in this order; a number: this many bands of a file of bands. */
  readonly channels: 'rgb' | 'bgr' | 'gray' | 'rgba' | number;
  /** The size that the network takes; null: the size after resizing and cropping. */
  readonly size: Sides | null;
  readonly fit: 'crop' | 'stretch' | 'letterbox';
  /** null: to `size`, divided by the crop's share if `crop` is a share. */
  readonly resize: number | Sides | 'none' | null;
  /**
   * The part that is cut from the middle: a rectangle, a square's side, or, up to 1, the share of `size` in the resized
   * photo. null: `size`.
   */
  readonly crop: number | Sides | 'none' | null;
  /** 8-bit RGB, between 0 and 255. */
  readonly pad_color: readonly [red: number, green: number, blue: number];
  readonly resample: Resampling;
  /** The factor of each pixel: a photo's pixels are 0 to 255, a band's have the file's own range. */
  readonly scale: number;
  /** One number for each channel of the tensor, or one for all. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** Returns the input's height and width, or null if they depend on the photo. */
export function sidesOf({ size, fit, resize, crop }: Geometry): Sides | null {
  if (Array.isArray(crop)) return crop as unknown as Sides;
  if (typeof crop === 'number' && crop > 1) return [crop, crop];
  const box = boxOf({ size, fit, resize, crop });
  const exact = fit !== 'crop' || Array.isArray(resize);
  if (crop === 'none') return exact ? box : null;
  return size ?? (exact ? box : null);
}

type Geometry = Pick<Preprocessing, 'size' | 'fit' | 'resize' | 'crop'>;

/** Returns the two sides that the photo is resized to; null if it is not resized. */
export function boxOf({ size, resize, crop }: Geometry): Sides | null {
  if (resize === 'none') return null;
  if (typeof resize === 'number') return [resize, resize];
  if (resize) return resize;
  const ratio = typeof crop === 'number' && crop <= 1 ? crop : 1;
  return size && [Math.floor(size[0] / ratio), Math.floor(size[1] / ratio)];
}

/** Counts the network's channels. */
export const channelCount = (channels: Preprocessing['channels']): number =>
  typeof channels === 'number' ? channels : { rgb: 3, bgr: 3, gray: 1, rgba: 4 }[channels];
