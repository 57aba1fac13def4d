import type { FloatMap, Picture } from '../image/picture.ts';
import { picture } from '../image/picture.ts';
import { resizedRows } from '../image/resize.ts';
import type { Colormap } from './colormaps.ts';
import { colourIndex, tableOf } from './colormaps.ts';

export interface HeatmapOptions {
  readonly width: number;
  readonly height: number;
  readonly colormap?: Colormap;
  /** Values at the two ends of the colours: 0 and 1 for maps, -1 and 1 for signed attributions. */
  readonly minimum?: number;
  readonly maximum?: number;
}

/** Colours a map at the requested size, resized bicubically; values beyond an end get the colour of that end. */
export function heatmap(
  map: FloatMap,
  { width, height, colormap = 'jet', minimum = 0, maximum = 1 }: HeatmapOptions,
): Picture {
  const table = tableOf(colormap);
  const data = new Uint8Array(width * height * 3);
  const span = maximum - minimum || 1;
  let at = 0;
  for (const row of resizedRows(map, width, height, 'bicubic'))
    for (const value of row) {
      const colour = colourIndex((value - minimum) / span) * 3;
      data[at++] = table[colour]!;
      data[at++] = table[colour + 1]!;
      data[at++] = table[colour + 2]!;
    }
  return picture(width, height, data);
}

/** Draws a colour map as an upright bar, its largest value on top. The caller draws the tick labels. */
export function colorBar(colormap: Colormap, width: number, height: number): Picture {
  const table = tableOf(colormap);
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const colour = colourIndex((height - 0.5 - y) / height) * 3;
    for (let x = 0; x < width; x++) data.set(table.subarray(colour, colour + 3), (y * width + x) * 3);
  }
  return picture(width, height, data);
}
