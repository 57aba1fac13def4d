import type { Region } from './picture.ts';
import { boxOf, type Preprocessing, sidesOf } from './preprocessing.ts';

/** Computes sizes and positions as torchvision's Resize and CenterCrop do. */

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Computes the size after a resize: short side `short`, other side `int(short · long / short side)`, truncated. */
export function resizedSize({ width, height }: Size, short: number): Size {
  return width <= height
    ? { width: short, height: Math.trunc((short * height) / width) }
    : { width: Math.trunc((short * width) / height), height: short };
}

/** The place of a photo: its size and window. */
export interface Placement {
  /** The whole photo, resized. */
  readonly resized: Size;
  /** The part of the resized photo that the network gets, in whole pixels; pixels beyond the photo are padding. */
  readonly window: Region;
}

/** Computes the size that a photo is resized to, and the part of it that the network gets. */
export function placementOf(photo: Size, preprocessing: Preprocessing): Placement {
  const { fit, crop } = preprocessing;
  const resized = resizedBy(photo, preprocessing);
  const box = boxOf(preprocessing);
  const padded = fit === 'letterbox' && box ? { width: box[1], height: box[0] } : resized;
  const [height, width] = (crop === 'none' ? null : sidesOf(preprocessing)) ?? [padded.height, padded.width];
  const part = centreCrop(padded, { width, height });
  // LetterBox of ultralytics and timm's CenterCropOrPad leave the odd pixel of padding to the right and below.
  const left = Math.floor((padded.width - resized.width) / 2);
  const top = Math.floor((padded.height - resized.height) / 2);
  return { resized, window: { ...part, x: part.x - left, y: part.y - top } };
}

function resizedBy(photo: Size, preprocessing: Preprocessing): Size {
  const box = boxOf(preprocessing);
  if (!box) return photo;
  const [height, width] = box;
  const { fit, resize } = preprocessing;
  if (fit === 'stretch' || (fit === 'crop' && Array.isArray(resize))) return { width, height };
  const across = width / photo.width;
  const down = height / photo.height;
  if (fit === 'letterbox') return scaledBy(photo, Math.min(across, down));
  return width === height ? resizedSize(photo, width) : scaledBy(photo, Math.max(across, down));
}

const scaledBy = ({ width, height }: Size, factor: number): Size => ({
  width: Math.max(roundHalfToEven(width * factor), 1),
  height: Math.max(roundHalfToEven(height * factor), 1),
});

/**
 * Computes the rectangle in the middle. It starts at `round((size - side) / 2)`, halves to the even number as Python
 * rounds; if the picture is smaller than the rectangle, the rectangle starts before the picture, by half the difference
 * rounded down, and the part outside the picture is padding.
 */
export function centreCrop({ width, height }: Size, crop: Size): Region {
  return { x: start(width, crop.width), y: start(height, crop.height), ...crop };
}

const start = (size: number, side: number): number =>
  side > size ? Math.ceil((size - side) / 2) + 0 : roundHalfToEven((size - side) / 2);

export function roundHalfToEven(value: number): number {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}
