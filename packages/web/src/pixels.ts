import { InputError } from '@whylight/core';
import type { Raster } from '@whylight/core/image';

/** Sources of pixels in a page: a picture that has loaded, a canvas, a frame of a video or of a camera. */
export type ImageSource =
  | HTMLImageElement
  | HTMLCanvasElement
  | OffscreenCanvas
  | HTMLVideoElement
  | ImageBitmap
  | VideoFrame
  | ImageData
  | Blob;

/** Most pixels of an image; the other apps of Whylight have the same limit. */
const mostPixels = 25_000_000;

/**
 * Copies the present picture, upright, into a form that can be sent to a worker. Later changes of the source by the
 * caller do not change the copy.
 *
 * @throws InputError invalid_image for a source that has no pixels yet, or that the browser cannot decode
 */
export async function bitmapOf(source: ImageSource): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(source);
  } catch (error) {
    throw new InputError('invalid_image', whyWithoutPixels(source, error as Error));
  }
}

/**
 * Reads the pixels of a source as RGBA, row by row, 8 bits each. `explain` takes the source itself and reads the pixels
 * in its worker; this function is for callers who want to see the pixels.
 *
 * @throws InputError invalid_image for a source that has no pixels yet, image_too_large for more than 25 million pixels
 */
export async function pixelsOf(source: ImageSource): Promise<Raster & { readonly data: Uint8Array }> {
  const bitmap = await bitmapOf(source);
  try {
    return rgbaOf(bitmap);
  } finally {
    bitmap.close();
  }
}

/** @throws InputError image_too_large */
export function rgbaOf(bitmap: ImageBitmap): Raster & { readonly data: Uint8Array } {
  const { width, height } = bitmap;
  if (width * height > mostPixels)
    throw new InputError(
      'image_too_large',
      `The image is ${width}×${height}; at most ${mostPixels} pixels are taken. Draw it smaller on a canvas first.`,
    );
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })!;
  context.drawImage(bitmap, 0, 0);
  const { buffer } = context.getImageData(0, 0, width, height).data;
  return { width, height, channels: 4, data: new Uint8Array(buffer) };
}

function whyWithoutPixels(source: ImageSource, { message }: Error): string {
  if (source instanceof HTMLImageElement && !source.complete)
    return 'The <img> has not loaded yet: wait for its decode() before you explain it.';
  if (source instanceof HTMLVideoElement && source.readyState < HTMLMediaElement.HAVE_CURRENT_DATA)
    return 'The video has no frame yet: wait for its "loadeddata" event before you explain it.';
  return `The browser cannot read the image: ${message}`;
}
