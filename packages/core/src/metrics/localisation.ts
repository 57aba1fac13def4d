import { InputError } from '../errors.ts';
import { ranking } from './pixels.ts';

/** Metrics against a mask that is non-zero where the object lies; map and mask are [H, W]. */

export interface PointingOptions {
  readonly width: number;
  /** The distance from the object, in pixels, that counts as on it; default 0; the pointing game's authors allow 15. */
  readonly tolerance?: number;
}

/** Whether the strongest point (the first of equal points) lies on the object (Zhang et al., IJCV 2018). */
export function pointsAt(
  map: ArrayLike<number>,
  mask: ArrayLike<number>,
  { width, tolerance = 0 }: PointingOptions,
): boolean {
  checkSize(map, mask);
  const [best] = ranking(map) as [number];
  const [x, y] = [best % width, Math.trunc(best / width)];
  for (let dy = -tolerance; dy <= tolerance; dy++)
    for (let dx = -tolerance; dx <= tolerance; dx++) {
      const within = x + dx >= 0 && x + dx < width && dx * dx + dy * dy <= tolerance * tolerance;
      if (within && mask[(y + dy) * width + x + dx]) return true;
    }
  return false;
}

/** Computes the share of the positive relevance that lies on the object; 0 if there is none (Arras et al., 2022). */
export function relevanceMass(map: ArrayLike<number>, mask: ArrayLike<number>): number {
  checkSize(map, mask);
  let [inside, total] = [0, 0];
  for (let i = 0; i < map.length; i++) {
    const value = Math.max(map[i]!, 0);
    total += value;
    if (mask[i]) inside += value;
  }
  return total > 0 ? inside / total : 0;
}

function checkSize(map: ArrayLike<number>, mask: ArrayLike<number>): void {
  if (map.length !== mask.length)
    throw new InputError(
      'invalid_tensor',
      `mask: expected ${map.length} pixels as the map has, got ${mask.length}`,
    );
}
