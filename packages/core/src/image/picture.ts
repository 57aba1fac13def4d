/** Types of pictures: plain arrays with their sizes. */

/** 8-bit RGB, row-major: pixel (x, y) starts at `data[(y * width + x) * 3]`. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly channels: 3;
  readonly data: Uint8Array;
}

/**
 * The input of preprocessing: interleaved channels, row-major. 8-bit levels of a photo, or bands that have the file's
 * own range.
 */
export interface Raster {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: Uint8Array | Float32Array;
}

/** One float per pixel, row-major. */
export interface FloatMap {
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

/** A rectangle on a photo, in photo pixels; with fractions if the photo was resized. */
export interface Region {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** @throws RangeError when the data does not fill width × height × 3. */
export function picture(width: number, height: number, data: Uint8Array): Picture {
  if (data.length !== width * height * 3)
    throw new RangeError(
      `picture: ${width}×${height} RGB holds ${width * height * 3} bytes, got ${data.length}`,
    );
  return { width, height, channels: 3, data };
}

/** Cuts out a part of a picture, in whole pixels; the part beyond the picture is black. */
export function cutOut(from: Picture, { x, y, width, height }: Region): Picture {
  const data = new Uint8Array(width * height * 3);
  const [left, right] = [Math.max(x, 0), Math.min(x + width, from.width)];
  for (let row = Math.max(y, 0); row < Math.min(y + height, from.height); row++) {
    const line = row * from.width;
    const part = from.data.subarray((line + left) * 3, (line + Math.max(right, left)) * 3);
    data.set(part, ((row - y) * width + left - x) * 3);
  }
  return picture(width, height, data);
}

/** Returns the part of a region that lies on a photo of this size; the part beyond it is padding. */
export function onPhoto(region: Region, photo: { readonly width: number; readonly height: number }): Region {
  const x = Math.min(Math.max(region.x, 0), photo.width);
  const y = Math.min(Math.max(region.y, 0), photo.height);
  const width = Math.min(region.x + region.width, photo.width) - x;
  const height = Math.min(region.y + region.height, photo.height) - y;
  return { x, y, width: Math.max(width, 0), height: Math.max(height, 0) };
}

/** How much of the photo's area lies in the region that the network got, 0 to 1. */
export function coverageOf(
  photo: { readonly width: number; readonly height: number },
  visible: { readonly width: number; readonly height: number },
): number {
  return (visible.width * visible.height) / (photo.width * photo.height);
}

/** @throws RangeError when the data does not fill width × height × channels. */
export function raster<D extends Raster['data']>(
  width: number,
  height: number,
  channels: number,
  data: D,
): Raster & { readonly data: D } {
  if (data.length !== width * height * channels)
    throw new RangeError(
      `raster: ${width}×${height} of ${channels} channels holds ${width * height * channels} values, got ${data.length}`,
    );
  return { width, height, channels, data };
}

/** @throws RangeError when the data does not fill width × height. */
export function floatMap(width: number, height: number, data: Float32Array): FloatMap {
  if (data.length !== width * height)
    throw new RangeError(`map: ${width}×${height} holds ${width * height} values, got ${data.length}`);
  return { width, height, data };
}
