import type { Picture } from '@whylight/core/image';
import sharp from 'sharp';
import type { TextLine } from './text.ts';

/** Functions that draw onto a picture in place. */

/** Rasterized shapes, RGBA. */
export interface Raster {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** Rasterizes SVG shapes, and cuts off what lies outside width × height. */
export async function rasterize(shapes: string, width: number, height: number): Promise<Raster> {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${shapes}</svg>`;
  const { data, info } = await sharp(Buffer.from(svg))
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data };
}

/** Blends a raster onto the picture, with its top left corner at (left, top). It cuts off what lies outside the picture. */
export function blend(onto: Picture, { width, height, data }: Raster, left: number, top: number): void {
  for (let y = Math.max(0, -top); y < height && top + y < onto.height; y++)
    for (let x = Math.max(0, -left); x < width && left + x < onto.width; x++) {
      const from = (y * width + x) * 4;
      const alpha = data[from + 3]! / 255;
      if (alpha === 0) continue;
      const to = ((top + y) * onto.width + left + x) * 3;
      for (let channel = 0; channel < 3; channel++)
        onto.data[to + channel] = Math.round(
          onto.data[to + channel]! * (1 - alpha) + data[from + channel]! * alpha,
        );
    }
}

/** Draws SVG shapes with their origin at (left, top). It cuts off what lies outside width × height or the picture. */
export async function drawShapes(
  onto: Picture,
  shapes: string,
  { left, top, width, height }: { left: number; top: number; width: number; height: number },
): Promise<void> {
  blend(onto, await rasterize(shapes, width, height), left, top);
}

/** Converts a line of text to an SVG shape whose baseline starts at (x, y). */
export const textShape = (line: TextLine, x: number, y: number, colour: string): string =>
  `<path transform="translate(${x} ${y})" fill="${colour}" fill-rule="nonzero" d="${line.path}"/>`;
