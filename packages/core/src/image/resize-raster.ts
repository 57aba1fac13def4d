import { resizedAsOpenCv } from './opencv.ts';
import { floatMap, type Raster, type Region, raster } from './picture.ts';
import type { Resampling } from './resample.ts';
import { resizedLevels, resizeMap } from './resize.ts';

/**
 * Computes the `window` (whole pixels) of a raster resized to width × height: 8-bit levels as Pillow or OpenCV resize
 * pictures, bands as they resize floats.
 */
export function resizedRaster(
  source: Raster,
  width: number,
  height: number,
  resample: Resampling,
  window: Region,
): Raster {
  const { channels, data } = source;
  if (data instanceof Uint8Array) {
    const levels = { ...source, data };
    const resized =
      resample === 'cv-bilinear' || resample === 'cv-area'
        ? resizedAsOpenCv(levels, width, height, resample === 'cv-area' ? 'area' : 'linear', window)
        : resizedLevels(levels, width, height, resample, window);
    return raster(window.width, window.height, channels, resized);
  }
  // The mean over an area is Pillow's box filter; linear interpolation without antialiasing is OpenCV's.
  const filter = resample === 'cv-bilinear' ? 'bilinear' : resample === 'cv-area' ? 'box' : resample;
  const options = { antialias: resample !== 'cv-bilinear' };
  const out = new Float32Array(window.width * window.height * channels);
  for (let channel = 0; channel < channels; channel++) {
    const plane = Float32Array.from(
      { length: source.width * source.height },
      (_, p) => data[p * channels + channel]!,
    );
    const map = floatMap(source.width, source.height, plane);
    const { data: resized } = resizeMap(map, width, height, filter, options);
    for (let y = 0; y < window.height; y++)
      for (let x = 0; x < window.width; x++)
        out[(y * window.width + x) * channels + channel] = resized[(window.y + y) * width + window.x + x]!;
  }
  return raster(window.width, window.height, channels, out);
}
