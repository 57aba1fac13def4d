import { InputError } from '../errors.ts';
import type { FloatMap, Picture, Region } from '../image/picture.ts';
import { resizedRows } from '../image/resize.ts';
import type { Colormap } from './colormaps.ts';
import { colourIndex, tableOf } from './colormaps.ts';

export interface OverlayOptions {
  /** Weight of the photo, 0 ≤ alpha < 1. */
  readonly alpha?: number;
  readonly colormap?: Colormap;
  /** torchcam squares the map, which leaves little of a sparse map; false colours the map as it is. */
  readonly squared?: boolean;
}

/**
 * Lays a map in 0..1 over the part of the photo that the network saw, as torchcam's `overlay_mask` does:
 * bicubic to the region's size, squared, coloured, then `trunc(colour + alpha · (photo - colour))` in float32.
 * Outside the region the photo stays as it is.
 *
 * @param region the position of the map on the photo, rounded to whole pixels; may reach beyond the photo.
 * @throws InputError invalid_parameter if alpha is not in [0, 1).
 */
export function overlay(
  photo: Picture,
  map: FloatMap,
  region: Region = { x: 0, y: 0, width: photo.width, height: photo.height },
  { alpha = 0.7, colormap = 'jet', squared = true }: OverlayOptions = {},
): Picture {
  if (!(alpha >= 0 && alpha < 1))
    throw new InputError('invalid_parameter', `overlay: alpha must be at least 0 and below 1; got ${alpha}`);
  const place = wholePixels(region);
  const blended = blends(tableOf(colormap), Math.fround(alpha));
  const data = photo.data.slice();
  const left = Math.max(place.x, 0);
  const right = Math.min(place.x + place.width, photo.width);
  let y = place.y;
  for (const row of resizedRows(map, place.width, place.height, 'bicubic')) {
    if (y >= photo.height) break;
    if (y >= 0)
      for (let x = left; x < right; x++) {
        const value = row[x - place.x]!;
        const colour = colourIndex(squared ? value * value : value) * 3 * 256;
        const at = (y * photo.width + x) * 3;
        data[at] = blended[colour + data[at]!]!;
        data[at + 1] = blended[colour + 256 + data[at + 1]!]!;
        data[at + 2] = blended[colour + 512 + data[at + 2]!]!;
      }
    y++;
  }
  return { ...photo, data };
}

/** Rounds edges to the nearest pixel edge, so that neighbouring regions still meet; the result is never empty. */
export function wholePixels(region: Region): Region {
  const x = Math.round(region.x);
  const y = Math.round(region.y);
  return {
    x,
    y,
    width: Math.max(Math.round(region.x + region.width) - x, 1),
    height: Math.max(Math.round(region.y + region.height) - y, 1),
  };
}

/** Blends every colour entry with every level of a photo: `[entry][channel][level]`. */
function blends(table: Uint8Array, alpha: number): Uint8Array {
  const out = new Uint8Array(table.length * 256);
  for (let entry = 0; entry < table.length; entry++) {
    const colour = table[entry]!;
    for (let level = 0; level < 256; level++)
      out[entry * 256 + level] = Math.fround(colour + Math.fround(alpha * (level - colour)));
  }
  return out;
}
