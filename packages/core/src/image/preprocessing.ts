import type { Resampling } from './resample.ts';

/** Rows and columns. */
export type Sides = readonly [height: number, width: number];

/**
 * How a photo becomes a network's input: it is resized, cropped, and its numbers become (pixel · scale - mean) / std.
 * Members are spelled as the flags of the command line.
 *
 * `fit` says how a photo gets to the size that `resize` names, or `size` where `resize` is null:
 *
 * - `crop`: it keeps its proportions and covers that size; a number is the short side's.
 * - `stretch`: it gets exactly that size; a number is both sides'. `resize` [h, w] means this under `crop` too.
 * - `letterbox`: it keeps its proportions, lies in the middle of that size, and `pad_color` fills the rest.
 */
export interface Preprocessing {
  readonly layout: 'NCHW' | 'NHWC';
  /** What the network's channels are, in this order; a number: so many bands of a file that has them. */
  readonly channels: 'rgb' | 'bgr' | 'gray' | 'rgba' | number;
  /** What the network takes; null: what resizing and cropping leave. */
  readonly size: Sides | null;
  readonly fit: 'crop' | 'stretch' | 'letterbox';
  /** null: to `size`, divided by the crop's ratio if there is one. */
  readonly resize: number | Sides | 'none' | null;
  /**
   * What is cut from the middle: a rectangle, a square's side, or, up to 1, the share of the resized photo that `size`
   * is. null: `size`.
   */
  readonly crop: number | Sides | 'none' | null;
  /** 8-bit RGB, between 0 and 255. */
  readonly pad_color: readonly [red: number, green: number, blue: number];
  readonly resample: Resampling;
  /** What a pixel is multiplied by: a photo's is 0 to 255, a band's has the file's own range. */
  readonly scale: number;
  /** One for each channel of the tensor, or one for all. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** The input's height and width, or null where they depend on the photo. */
export function sidesOf({ size, fit, resize, crop }: Geometry): Sides | null {
  if (Array.isArray(crop)) return crop as unknown as Sides;
  if (typeof crop === 'number' && crop > 1) return [crop, crop];
  const box = boxOf({ size, fit, resize, crop });
  const exact = fit !== 'crop' || Array.isArray(resize);
  if (crop === 'none') return exact ? box : null;
  return size ?? (exact ? box : null);
}

type Geometry = Pick<Preprocessing, 'size' | 'fit' | 'resize' | 'crop'>;

/** What the photo is resized to, as two sides; null: it is not resized. */
export function boxOf({ size, resize, crop }: Geometry): Sides | null {
  if (resize === 'none') return null;
  if (typeof resize === 'number') return [resize, resize];
  if (resize) return resize;
  const ratio = typeof crop === 'number' && crop <= 1 ? crop : 1;
  return size && [Math.floor(size[0] / ratio), Math.floor(size[1] / ratio)];
}

/** How many channels the network has. */
export const channelCount = (channels: Preprocessing['channels']): number =>
  typeof channels === 'number' ? channels : { rgb: 3, bgr: 3, gray: 1, rgba: 4 }[channels];
