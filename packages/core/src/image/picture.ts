/** What pictures are made of: plain arrays with their measures. */

/** 8-bit RGB, row-major: pixel (x, y) starts at `data[(y * width + x) * 3]`. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly channels: 3;
  readonly data: Uint8Array;
}

/**
 * What preprocessing takes: interleaved channels, row-major. 8-bit levels of a photo, or bands that have the file's own
 * range.
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

/** A rectangle on a photo, in photo pixels; fractions where a resize stands between. */
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
