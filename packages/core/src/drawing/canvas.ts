import { type Picture, picture } from '../image/picture.ts';
import type { Rgba } from './layer.ts';
import type { Rgb } from './ramp.ts';

/** Creates a picture of one colour. */
export function blank(width: number, height: number, colour: Rgb): Picture {
  const data = new Uint8Array(width * height * 3);
  data.set(colour);
  // Copies the filled part behind itself until the picture is full.
  for (let filled = 3; filled < data.length; filled *= 2) data.copyWithin(filled, 0, filled);
  return picture(width, height, data);
}

/** Copies `what` onto `onto`, with its top left corner at (left, top). It must not reach beyond `onto`. */
export function place(onto: Picture, what: Picture, left: number, top: number): void {
  for (let y = 0; y < what.height; y++)
    onto.data.set(
      what.data.subarray(y * what.width * 3, (y + 1) * what.width * 3),
      ((top + y) * onto.width + left) * 3,
    );
}

/** Converts a picture to the pixels of a canvas. */
export function opaqueRgba({ width, height, data }: Picture): Rgba {
  const rgba = new Uint8ClampedArray(width * height * 4);
  for (let from = 0, to = 0; from < data.length; from += 3, to += 4) {
    rgba[to] = data[from]!;
    rgba[to + 1] = data[from + 1]!;
    rgba[to + 2] = data[from + 2]!;
    rgba[to + 3] = 255;
  }
  return { width, height, data: rgba };
}
