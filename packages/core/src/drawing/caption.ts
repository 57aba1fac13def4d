import type { Picture } from '../image/picture.ts';
import { blank, place } from './canvas.ts';
import type { Drawing, Mark, MeasureText } from './marks.ts';
import { setBlock } from './text-lines.ts';

/** If the short side has fewer pixels, a caption would hide what it describes. */
const smallPhoto = 256;

/**
 * Adds a caption to a picture: on a dark plate in the top left corner. If the short side has fewer than 256 pixels, the
 * caption goes into a strip below the photo. The strip makes the picture higher, and wider if the caption is wider.
 */
export function layOutCaption(photo: Picture, caption: readonly string[], measure: MeasureText): Drawing {
  if (caption.length === 0) return { picture: photo, marks: [] };
  const short = Math.min(photo.width, photo.height);
  if (short < smallPhoto) return withStrip(photo, caption, measure);
  const { marks, margin } = layOutPlate(caption, photo, measure);
  return { picture: photo, marks: marks(margin, margin) };
}

/** A caption on a dark plate, for the top left corner of a picture. */
export interface Plate {
  readonly width: number;
  readonly height: number;
  /** Pixels from the picture's edges. */
  readonly margin: number;
  /** The plate with its top left corner at (x, y). */
  readonly marks: (x: number, y: number) => Mark[];
}

/** Sets a caption in a size that suits a picture of this size. */
export function layOutPlate(
  caption: readonly string[],
  on: { readonly width: number; readonly height: number },
  measure: MeasureText,
): Plate {
  const short = Math.min(on.width, on.height);
  const size = Math.min(Math.max(Math.round(short * 0.042), 14), Math.round(on.width / 14));
  const margin = Math.round(size * 0.6);
  const block = setBlock(caption, size, on.width - 2 * margin - 1.4 * size, measure);
  const width = Math.ceil(block.width + 1.4 * size);
  const height = Math.ceil(block.height + 0.8 * size);
  const fill = { colour: '#101418', opacity: 0.72 };
  return {
    ...{ width, height, margin },
    marks: (x, y) => [
      { type: 'rectangle', x, y, width, height, radius: size * 0.3, fill },
      ...block.marks(x + 0.7 * size, y + 0.4 * size, '#fff'),
    ],
  };
}

function withStrip(photo: Picture, caption: readonly string[], measure: MeasureText): Drawing {
  const size = 13;
  const pad = 5;
  const block = setBlock(caption, size, Math.max(photo.width, smallPhoto) - 2 * pad, measure);
  const width = Math.max(photo.width, Math.ceil(block.width) + 2 * pad);
  const height = Math.ceil(block.height) + 2 * pad;
  const canvas = blank(width, photo.height + height, [16, 20, 24]);
  place(canvas, photo, 0, 0);
  return { picture: canvas, marks: block.marks(pad, photo.height + pad, '#fff') };
}
