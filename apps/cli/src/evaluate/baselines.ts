import { Random } from '@whylight/models/shapes/random';

/** Maps that ignore the photo. A useful method is better than they are. */

/** Uniform noise, different for each image. */
export function noiseMap(width: number, height: number, seed: number): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length: width * height }, () => random.between(0, 1));
}

/** A Gaussian in the middle, as wide as a quarter of the picture. */
export const blob = (width: number, height: number): Float32Array =>
  Float32Array.from({ length: width * height }, (_, i) => {
    const x = ((i % width) + 0.5 - width / 2) / (width / 4);
    const y = (Math.trunc(i / width) + 0.5 - height / 2) / (height / 4);
    return Math.exp(-(x * x + y * y) / 2);
  });
