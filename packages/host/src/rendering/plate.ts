import { type Raster, rasterize } from './draw.ts';
import { setBlock } from './text-block.ts';

/** A caption on a dark plate, for the top left corner of a picture. */
export interface Plate {
  readonly raster: Raster;
  /** Pixels from the picture's edges. */
  readonly margin: number;
  /** Characters that no font has. */
  readonly missing: readonly string[];
}

/** Sets a caption in a size that suits a picture of this size. */
export async function setPlate(
  caption: readonly string[],
  on: { readonly width: number; readonly height: number },
): Promise<Plate> {
  const short = Math.min(on.width, on.height);
  const size = Math.min(Math.max(Math.round(short * 0.042), 14), Math.round(on.width / 14));
  const margin = Math.round(size * 0.6);
  const block = setBlock(caption, size, on.width - 2 * margin - 1.4 * size);
  const width = Math.ceil(block.width + 1.4 * size);
  const height = Math.ceil(block.height + 0.8 * size);
  const plate = `<rect width="${width}" height="${height}" rx="${size * 0.3}" fill="#101418" fill-opacity="0.72"/>`;
  const raster = await rasterize(plate + block.shapes(0.7 * size, 0.4 * size, '#fff'), width, height);
  return { raster, margin, missing: block.missing };
}
