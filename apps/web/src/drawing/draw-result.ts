import type { Tensor } from '@whylight/core';
import {
  type Painted,
  paint,
  type ScaledAttribution,
  type Scenery,
  type Style,
  scaleAttribution,
} from '@whylight/core/drawing';
import type { Picture, Region } from '@whylight/core/image';
import type { Result } from '../engine/engine.ts';
import type { Photo } from '../photo/photo.ts';
import type { Language, Look } from '../state/session.ts';

const styleOf = (
  { opacity, hidden, backdrop, colormap }: Look,
  language: Language,
  { kind }: Result,
): Style => ({
  ...{ opacity, backdrop, language, colormap: colormap ?? undefined },
  // The upper ends are the drawing's own: a clip has to name both.
  ...(hidden > 0 && { clip: [hidden, kind.isPixels ? 99 : 100] as const }),
});

/** Draws a result over its photo, which `picture` has in any size, by the drawing that the service has too. */
export function drawResult(
  result: Result,
  photo: Pick<Photo, 'width' | 'height'>,
  picture: Picture,
  look: Look,
  language: Language,
): Painted {
  return paint({
    ...explainedBy(result),
    photo: picture,
    region: onPicture(result.region, photo, picture),
    style: styleOf(look, language, result),
  });
}

/** The numbers of a result as one value for each pixel of its map. */
export const valuesIn = (result: Result): ScaledAttribution => scaleAttribution(explainedBy(result));

const explainedBy = ({
  attribution,
  shape,
  layout,
  kind,
  convention,
}: Result): Omit<Scenery, 'photo' | 'region'> => ({
  attribution: { dtype: 'float32', shape, data: attribution } as Tensor<'float32'>,
  ...{ layout, convention },
  ...kind,
});

function onPicture(region: Region, photo: Pick<Photo, 'width' | 'height'>, picture: Picture): Region {
  const [across, down] = [picture.width / photo.width, picture.height / photo.height];
  return {
    x: region.x * across,
    y: region.y * down,
    width: region.width * across,
    height: region.height * down,
  };
}

/** The value of the map at a point of the photo, in the photo's pixels; undefined where the network saw nothing. */
export function valueAt(
  { values }: ScaledAttribution,
  region: Region,
  x: number,
  y: number,
): number | undefined {
  const column = Math.floor(((x - region.x) / region.width) * values.width);
  const row = Math.floor(((y - region.y) / region.height) * values.height);
  const isInside = column >= 0 && row >= 0 && column < values.width && row < values.height;
  return isInside ? values.data[row * values.width + column] : undefined;
}
