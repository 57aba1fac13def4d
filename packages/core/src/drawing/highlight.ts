import { InputError } from '../errors.ts';
import type { Size } from '../image/geometry.ts';
import { type FloatMap, type Picture, picture, type Region } from '../image/picture.ts';
import { resizedRows } from '../image/resize.ts';
import { type Colormap, colourIndex, tableOf } from './colormaps.ts';
import { wholePixels } from './overlay.ts';

export const backdrops = ['original', 'grayscale', 'mask_black', 'none'] as const;
export type Backdrop = (typeof backdrops)[number];

export interface HighlightOptions {
  /** The magnitude up to which nothing is highlighted, and the one from which the highlight is strongest. */
  readonly from: number;
  readonly to: number;
  /** Whether negative values have colours of their own: the lower half of the colour map. */
  readonly signed: boolean;
  readonly colormap: Colormap;
  /** Weight of the colours, 0 < opacity ≤ 1. */
  readonly opacity: number;
  readonly backdrop: Backdrop;
  /** Draws the edges of highlighted areas in place of the areas. */
  readonly outlines: boolean;
}

/**
 * Draws a map over the part of the photo that the network saw; only magnitudes above `from` are shown:
 *
 *     strength = clamp((|v| - from) / (to - from), 0, 1)
 *     pixel    = strength > 0 ? backdrop + opacity · (colour - backdrop) : backdrop
 *
 * with v resized bicubically to the region's size. With backdrop `mask_black` a pixel is photo · strength.
 *
 * @throws InputError invalid_parameter if opacity is not in (0, 1] or `from` is not below `to`.
 */
export function highlight(photo: Picture, map: FloatMap, region: Region, options: HighlightOptions): Picture {
  const { from, to, opacity, backdrop, outlines } = options;
  if (!(opacity > 0 && opacity <= 1))
    throw new InputError(
      'invalid_parameter',
      `highlight: opacity must be above 0 and at most 1; got ${opacity}`,
    );
  if (!(from < to))
    throw new InputError(
      'invalid_parameter',
      `highlight: expected a range of magnitudes, got ${from} to ${to}`,
    );
  const place = wholePixels(region);
  const values = new Float32Array(photo.width * photo.height);
  placeRows(values, photo, map, place);
  const strength = (value: number) => Math.min(Math.max((Math.abs(value) - from) / (to - from), 0), 1);
  const shown = outlines ? edgesOf(values.map(strength), photo) : null;
  const table = tableOf(options.colormap);
  const data = new Uint8Array(photo.data.length);
  for (let p = 0; p < values.length; p++) {
    const value = values[p]!;
    const part = strength(value);
    const behind = backdropOf[backdrop](photo.data, p * 3, part);
    const coloured = backdrop !== 'mask_black' && part > 0 && (!shown || shown[p]);
    const at = coloured ? colourAt(options, value < 0 ? -part : part) : 0;
    for (let channel = 0; channel < 3; channel++) {
      const ground = behind(channel);
      const colour = table[at + channel]!;
      data[p * 3 + channel] = Math.round(coloured ? ground + opacity * (colour - ground) : ground);
    }
  }
  return picture(photo.width, photo.height, data);
}

/** Finds the magnitudes that `lower` and `upper` percent of all values do not exceed, by nearest rank. */
export function percentiles(values: Float32Array, lower: number, upper: number): [number, number] {
  const magnitudes = values.map(Math.abs).sort();
  const at = (percent: number) =>
    percent <= 0 ? 0 : (magnitudes[Math.ceil((percent / 100) * magnitudes.length) - 1] ?? 0);
  return [at(lower), at(upper)];
}

function placeRows(onto: Float32Array, photo: Picture, map: FloatMap, place: Region): void {
  const [left, right] = [Math.max(place.x, 0), Math.min(place.x + place.width, photo.width)];
  let y = place.y;
  for (const row of resizedRows(map, place.width, place.height, 'bicubic')) {
    if (y >= photo.height) break;
    if (y >= 0) onto.set(row.subarray(left - place.x, Math.max(right - place.x, 0)), y * photo.width + left);
    y++;
  }
}

const colourAt = ({ signed }: HighlightOptions, value: number): number =>
  colourIndex(signed ? (value + 1) / 2 : Math.abs(value)) * 3;

/** Functions that compute the backdrop of the pixel whose first byte is at `i`, by channel. */
const backdropOf: Record<
  Backdrop,
  (data: Uint8Array, i: number, strength: number) => (channel: number) => number
> = {
  original: (data, i) => (channel) => data[i + channel]!,
  // ITU-R BT.601 luma, as PIL's "L".
  grayscale: (data, i) => () => 0.299 * data[i]! + 0.587 * data[i + 1]! + 0.114 * data[i + 2]!,
  mask_black: (data, i, strength) => (channel) => data[i + channel]! * strength,
  none: () => () => 0,
};

/** Finds edges: highlighted pixels that have a pixel without highlight within a two-hundredth of the short side. */
function edgesOf(strengths: Float32Array, { width, height }: Picture): Uint8Array {
  const reach = Math.max(1, Math.round(Math.min(width, height) / 200));
  const inside = Uint8Array.from(strengths, (strength) => (strength > 0 ? 1 : 0));
  const eroded = erode(erode(inside, { width, height }, 'x', reach), { width, height }, 'y', reach);
  return inside.map((is, p) => (is && !eroded[p] ? 1 : 0));
}

/** Keeps mask pixels that have only mask pixels within `reach` along an axis; the picture's edge erodes nothing. */
function erode(mask: Uint8Array, { width, height }: Size, axis: 'x' | 'y', reach: number): Uint8Array {
  const [stride, length] = axis === 'x' ? [1, width] : [width, height];
  const out = mask.slice();
  for (let p = 0; p < mask.length; p++) {
    if (mask[p]) continue;
    const position = axis === 'x' ? p % width : Math.floor(p / width);
    const last = Math.min(reach, length - 1 - position);
    for (let step = Math.max(-reach, -position); step <= last; step++) out[p + step * stride] = 0;
  }
  return out;
}
