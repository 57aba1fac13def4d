import { InputError } from '../errors.ts';
import type { FloatMap, Picture } from '../image/picture.ts';
import { floatMap, picture } from '../image/picture.ts';
import { resizeMap } from '../image/resize.ts';
import { range } from './attribution.ts';
import { colormaps } from './colormaps.ts';

/** Draws the pictures that pytorch-grad-cam's notebooks show, in its arithmetic. */

const f = Math.fround;

/**
 * Computes `scale_cam_image`: (v - min) / (1e-7 + max(v - min)), resized bilinearly as in OpenCV, without antialiasing.
 */
export function scaleCamImage(map: FloatMap, width: number, height: number): FloatMap {
  const [minimum, maximum] = range(map.data);
  const divisor = f(1e-7 + f(maximum - minimum));
  const scaled = map.data.map((value) => f(value - minimum) / divisor);
  return resizeMap(floatMap(map.width, map.height, scaled), width, height, 'bilinear', { antialias: false });
}

/**
 * Computes `show_cam_on_image` with `use_rgb=True`: (1 - w) · colour + w · photo, divided by its largest value.
 *
 * @param rgb the photo as floats in 0..1, row-major RGB, at the map's size.
 * @param imageWeight w, the weight of the photo.
 * @throws InputError invalid_parameter if the photo or the weight is not within 0..1, invalid_tensor if the
 *   sizes differ.
 */
export function showCamOnImage(rgb: Float32Array, map: FloatMap, imageWeight = 0.5): Picture {
  if (rgb.length !== map.data.length * 3)
    throw new InputError(
      'invalid_tensor',
      `show_cam_on_image: a map of ${map.width}×${map.height} needs ${map.data.length * 3} photo values, got ${rgb.length}`,
    );
  if (range(rgb)[1] > 1)
    throw new InputError('invalid_parameter', 'show_cam_on_image: the photo must be floats in 0..1');
  if (!(imageWeight >= 0 && imageWeight <= 1))
    throw new InputError(
      'invalid_parameter',
      `show_cam_on_image: image_weight must be in 0..1; got ${imageWeight}`,
    );
  const table = colormaps['opencv-jet'];
  const blended = rgb.map((value, i) => {
    const entry = (f(255 * map.data[Math.trunc(i / 3)]!) & 255) * 3 + (i % 3);
    return f(f(1 - imageWeight) * f(table[entry]! / 255)) + f(f(imageWeight) * value);
  });
  const largest = range(blended)[1];
  const levels = Uint8Array.from(blended, (value) => (largest > 0 ? f(255 * f(value / largest)) : 0));
  return picture(map.width, map.height, levels);
}

/**
 * Computes `deprocess_image`: (v - mean) / (standard deviation + 1e-5) · 0.1 + 0.5 over the whole array, clipped to
 * 0..1, as 8-bit levels.
 */
export function deprocessImage(values: Float32Array): Uint8Array {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  const deviation = Math.sqrt(variance) + 1e-5;
  return Uint8Array.from(values, (value) => {
    const level = ((value - mean) / deviation) * 0.1 + 0.5;
    return f(255 * Math.min(Math.max(level, 0), 1));
  });
}
