import { type OverlayOptions, overlay } from '@whylight/core/drawing';
import type { FloatMap, Picture, Region } from '@whylight/core/image';
import { blank, blend, drawShapes, place } from './draw.ts';
import { setPlate } from './plate.ts';
import type { RenderedPicture } from './rendered-picture.ts';
import { setBlock } from './text-block.ts';

export interface OverlayInput extends OverlayOptions {
  readonly photo: Picture;
  /** The map, with values in 0..1. */
  readonly map: FloatMap;
  /** The part of the photo that the map covers. */
  readonly region: Region;
  /** Lines such as "Pred: zebra 0.998". */
  readonly caption: readonly string[];
}

/** If the short side has fewer pixels, a caption would hide what it describes. */
const smallPhoto = 256;

/**
 * Renders the photo at its full size with the map over the part that the network got, and the caption on a dark plate in the
 * top left corner. If the short side has fewer than 256 pixels, the caption goes into a strip below the photo. The strip makes
 * the picture higher, and wider if the caption is wider than the photo.
 */
export const renderOverlay = ({
  photo,
  map,
  region,
  caption,
  ...options
}: OverlayInput): Promise<RenderedPicture> => captioned(overlay(photo, map, region, options), caption);

/** Adds the caption to the picture in the place that `renderOverlay` describes. It changes the picture. */
export async function captioned(picture: Picture, caption: readonly string[]): Promise<RenderedPicture> {
  if (caption.length === 0) return { picture, missing: [] };
  const short = Math.min(picture.width, picture.height);
  return short < smallPhoto ? withStrip(picture, caption) : withPlate(picture, caption);
}

async function withPlate(photo: Picture, caption: readonly string[]): Promise<RenderedPicture> {
  const plate = await setPlate(caption, photo);
  blend(photo, plate.raster, plate.margin, plate.margin);
  return { picture: photo, missing: plate.missing };
}

async function withStrip(photo: Picture, caption: readonly string[]): Promise<RenderedPicture> {
  const size = 13;
  const pad = 5;
  const block = setBlock(caption, size, Math.max(photo.width, smallPhoto) - 2 * pad);
  const width = Math.max(photo.width, Math.ceil(block.width) + 2 * pad);
  const height = Math.ceil(block.height) + 2 * pad;
  const canvas = blank(width, photo.height + height, [16, 20, 24]);
  place(canvas, photo, 0, 0);
  await drawShapes(canvas, block.shapes(pad, pad, '#fff'), { left: 0, top: photo.height, width, height });
  return { picture: canvas, missing: block.missing };
}
