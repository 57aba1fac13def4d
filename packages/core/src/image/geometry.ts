import type { Region } from './picture.ts';

/** Sizes and places as torchvision's Resize and CenterCrop compute them. */

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The short side becomes `short`, the other `int(short · long / short side)`, truncated. */
export function resizedSize({ width, height }: Size, short: number): Size {
  return width <= height
    ? { width: short, height: Math.trunc((short * height) / width) }
    : { width: Math.trunc((short * width) / height), height: short };
}

/**
 * The centred square of `side` pixels. It starts at `round((size - side) / 2)`, halves to the even number as
 * Python rounds; where the picture is smaller than the square, it starts before the picture, by half the lack
 * rounded down, and what lies outside is padding.
 */
export function centreCrop({ width, height }: Size, side: number): Region {
  return { x: start(width, side), y: start(height, side), width: side, height: side };
}

const start = (size: number, side: number): number =>
  side > size ? Math.ceil((size - side) / 2) + 0 : roundHalfToEven((size - side) / 2);

export function roundHalfToEven(value: number): number {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}
