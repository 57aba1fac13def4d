import { layOutCaption, type OverlayOptions, overlay } from '@whylight/core/drawing';
import type { FloatMap, Picture, Region } from '@whylight/core/image';
import { drawMarks } from './draw-marks.ts';
import type { RenderedPicture } from './rendered-picture.ts';
import { measureText } from './text.ts';

export interface OverlayInput extends OverlayOptions {
  readonly photo: Picture;
  /** The map, with values in 0..1. */
  readonly map: FloatMap;
  /** The part of the photo that the map covers. */
  readonly region: Region;
  /** Lines such as "Pred: zebra 0.998". */
  readonly caption: readonly string[];
}

/**
 * Renders the photo at its full size with the map over the part that the network got, as torchcam does, with the caption
 * on a dark plate in the top left corner or, on a small photo, in a strip below it.
 */
export const renderOverlay = ({
  photo,
  map,
  region,
  caption,
  ...options
}: OverlayInput): Promise<RenderedPicture> => captioned(overlay(photo, map, region, options), caption);

/** Adds the caption to the picture in the place that `layOutCaption` describes. It changes the picture. */
export const captioned = (picture: Picture, caption: readonly string[]): Promise<RenderedPicture> =>
  drawMarks(layOutCaption(picture, caption, measureText));
