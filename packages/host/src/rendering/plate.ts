import { layOutPlate } from '@whylight/core/drawing';
import { type Raster, rasterize } from './draw.ts';
import { shapesOf } from './draw-marks.ts';
import { measureText } from './text.ts';

/** A caption on a dark plate, for the top left corner of a picture. */
export interface Plate {
  readonly raster: Raster;
  /** Pixels from the picture's edges. */
  readonly margin: number;
  /** Characters that no font has. */
  readonly missing: readonly string[];
}

/** Rasterizes a caption once, for the many frames of a video that have it. */
export async function setPlate(
  caption: readonly string[],
  on: { readonly width: number; readonly height: number },
): Promise<Plate> {
  const { width, height, margin, marks } = layOutPlate(caption, on, measureText);
  const { svg, missing } = shapesOf(marks(0, 0));
  return { raster: await rasterize(svg, width, height), margin, missing };
}
