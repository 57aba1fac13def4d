import type { Colormap } from './colormaps.ts';
import { colourIndex, tableOf } from './colormaps.ts';
import type { FloatMap, Picture } from './picture.ts';
import { picture } from './picture.ts';
import { resizedRows } from './resize.ts';

export interface HeatmapOptions {
  readonly width: number;
  readonly height: number;
  readonly colormap?: Colormap;
  /** Values at the two ends of the colours: 0 and 1 for maps, -1 and 1 for signed attributions. */
  readonly minimum?: number;
  readonly maximum?: number;
}

/** A map as colours at the size asked for, bicubic in between; what lies beyond an end has its colour. */
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

/** A colour map as an upright bar, its largest value on top. Tick labels are the caller's. */
export function colorBar(colormap: Colormap, width: number, height: number): Picture {
  const table = tableOf(colormap);
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const colour = colourIndex((height - 0.5 - y) / height) * 3;
    for (let x = 0; x < width; x++) data.set(table.subarray(colour, colour + 3), (y * width + x) * 3);
  }
  return picture(width, height, data);
}
