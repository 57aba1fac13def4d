import type { Size } from '../image/geometry.ts';
import { type Picture, picture, type Region } from '../image/picture.ts';
import { resizedRows } from '../image/resize.ts';
import { type Backdrop, backdropOf } from './backdrop.ts';
import { drawContour, edgesOf } from './edges.ts';
import { wholePixels } from './overlay.ts';
import { type Ramp, rampIndex } from './ramp.ts';
import type { ScaledAttribution } from './scale.ts';

/** Pixels with an opacity each, row by row: what a canvas takes. */
export interface Rgba {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray<ArrayBuffer>;
}

/**
 * Colours an attribution, enlarged bicubically: a layer that is transparent where nothing is. Over a photo or over white
 * it is the overlay or the heat map.
 */
export function paintLayer(scaled: ScaledAttribution, ramp: Ramp, width: number, height: number): Rgba {
  const data = new Uint8ClampedArray(width * height * 4);
  let at = 0;
  for (const row of resizedRows(scaled.values, width, height, 'bicubic'))
    for (const value of row) {
      const colour = colourOf(scaled, value);
      data.set(ramp.subarray(colour, colour + 4), at);
      at += 4;
    }
  return { width, height, data };
}

export interface CompositeOptions {
  readonly backdrop?: Backdrop | undefined;
  /** Draws the edges of coloured areas in place of the areas, in the strongest colours. */
  readonly outlines?: boolean | undefined;
  /** Draws a line where the colours have half of their strength. */
  readonly contour?: boolean | undefined;
}

/** Weight of the photo where the network saw nothing of it. */
const dimmed = 0.45;

/**
 * Lays an attribution over the part of the photo that the network saw. A white line frames this part, and the rest of the
 * photo is darker, unless the network saw the whole photo.
 */
export function composite(
  photo: Picture,
  scaled: ScaledAttribution,
  region: Region,
  ramp: Ramp,
  { backdrop = 'original', outlines = false, contour = false }: CompositeOptions = {},
): Picture {
  const place = wholePixels(region);
  const edges = outlines ? edgesOf(areasOf(photo, scaled, place, ramp, 0), photo) : null;
  const data = backdrop === 'original' ? photo.data.slice() : onBackdrop(photo, backdrop);
  eachPixel(photo, scaled, place, (pixel, value) => {
    const at = pixel * 3;
    const colour = colourOf(scaled, value);
    if (backdrop === 'mask_black') {
      const strength = ramp[colour + 3]! === 0 ? 0 : Math.min(Math.abs(value) / scaled.end, 1);
      for (let c = 0; c < 3; c++) data[at + c] = Math.round(photo.data[at + c]! * strength);
      return;
    }
    const opacity = edges ? (edges[pixel] ? ramp[3]! || ramp.at(-1)! : 0) : ramp[colour + 3]!;
    if (opacity === 0) return;
    for (let c = 0; c < 3; c++)
      data[at + c] = Math.round((data[at + c]! * (255 - opacity) + ramp[colour + c]! * opacity) / 255);
  });
  const drawn = picture(photo.width, photo.height, data);
  if (contour) drawContour(drawn, areasOf(photo, scaled, place, ramp, half));
  frameRegion(drawn, place);
  return drawn;
}

/** Lays the whole attribution over white. */
export function onWhite(
  scaled: ScaledAttribution,
  ramp: Ramp,
  { width, height }: Size,
  { contour = false }: Pick<CompositeOptions, 'contour'> = {},
): Picture {
  const drawn = overWhite(paintLayer(scaled, ramp, width, height));
  const whole = { x: 0, y: 0, width, height };
  if (contour) drawContour(drawn, areasOf(drawn, scaled, whole, ramp, half));
  return drawn;
}

/** Lays a layer over white. */
function overWhite({ width, height, data }: Rgba): Picture {
  const rgb = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; from < data.length; from += 4, to += 3) {
    const opacity = data[from + 3]!;
    for (let c = 0; c < 3; c++)
      rgb[to + c] = Math.round((255 * (255 - opacity) + data[from + c]! * opacity) / 255);
  }
  return picture(width, height, rgb);
}

/** Where in a ramp the colour of a value begins; a hidden value has the colour of nothing. */
function colourOf({ end, hiddenTo }: ScaledAttribution, value: number): number {
  const isHidden = end === 0 || (hiddenTo > 0 && Math.abs(value) <= hiddenTo);
  return rampIndex(isHidden ? 0 : value / end);
}

/** Where the line around a map is: at this part of the strongest colour's value. */
const half = 0.5;

/** Marks the pixels that have a colour, of a strength of at least `least`. */
function areasOf(
  size: Size,
  scaled: ScaledAttribution,
  place: Region,
  ramp: Ramp,
  least: number,
): Uint8Array {
  const areas = new Uint8Array(size.width * size.height);
  eachPixel(size, scaled, place, (pixel, value) => {
    const isColoured = ramp[colourOf(scaled, value) + 3]! > 0;
    areas[pixel] = isColoured && Math.abs(value) >= least * scaled.end ? 1 : 0;
  });
  return areas;
}

/** Calls `draw` for each pixel of the photo that lies in `place`, with the value there. */
function eachPixel(
  photo: Size,
  { values }: ScaledAttribution,
  place: Region,
  draw: (pixel: number, value: number) => void,
): void {
  const [left, right] = [Math.max(place.x, 0), Math.min(place.x + place.width, photo.width)];
  let y = place.y;
  for (const row of resizedRows(values, place.width, place.height, 'bicubic')) {
    if (y >= photo.height) break;
    if (y >= 0) for (let x = left; x < right; x++) draw(y * photo.width + x, row[x - place.x]!);
    y++;
  }
}

function onBackdrop(photo: Picture, backdrop: Backdrop): Uint8Array {
  const data = new Uint8Array(photo.data.length);
  for (let at = 0; at < data.length; at += 3) {
    const behind = backdropOf[backdrop](photo.data, at, 0);
    for (let c = 0; c < 3; c++) data[at + c] = Math.round(behind(c));
  }
  return data;
}

/** Darkens what lies outside `place`, and draws a line around it where the photo goes on. It changes the picture. */
function frameRegion({ width, height, data }: Picture, place: Region): void {
  const [left, top] = [Math.max(place.x, 0), Math.max(place.y, 0)];
  const right = Math.min(place.x + place.width, width);
  const bottom = Math.min(place.y + place.height, height);
  const line = Math.max(1, Math.round(Math.min(width, height) / 250));
  for (let y = 0; y < height; y++) {
    const down = y < top ? top - y : y - bottom + 1;
    for (let x = 0; x < width; x++) {
      const across = x < left ? left - x : x - right + 1;
      const distance = Math.max(across, down);
      if (distance <= 0) {
        // Inside: on to the right edge.
        x = right - 1;
        continue;
      }
      const at = (y * width + x) * 3;
      for (let c = 0; c < 3; c++) data[at + c] = distance <= line ? 255 : Math.round(data[at + c]! * dimmed);
    }
  }
}
