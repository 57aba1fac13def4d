import type { Tensor } from '../tensor.ts';
import { batchOf, type Layout, pixelsOf } from './pixels.ts';
import type { Scorer } from './scorer.ts';

export interface ConfidenceChange {
  /** Score of the image. */
  readonly score: number;
  /** Score of the image times its map. */
  readonly masked: number;
  /**
   * Share of the score that is lost if the image is multiplied by its map: max(0, s - sₘ) / (s + 1e-7), as in
   * Grad-CAM++ (WACV 2018) and torchcam. Its mean over a set is the average drop.
   */
  readonly drop: number;
  /** max(0, s - sₘ), not divided: pytorch-grad-cam's DropInConfidence. */
  readonly difference: number;
  /** 1 if the score rose, else 0. Its mean over a set is the increase in confidence. */
  readonly increase: 0 | 1;
}

/**
 * Measures how the score changes if the (normalised) image is multiplied by its map.
 *
 * @param map one value in 0..1 per pixel, [H, W].
 */
export async function confidenceChange(
  score: Scorer,
  image: Tensor<'float32'>,
  map: ArrayLike<number>,
  layout: Layout = 'NCHW',
): Promise<ConfidenceChange> {
  const { pixelOf } = pixelsOf(image, layout, map);
  const scores = await score(
    batchOf(image, 2, (row, n) => {
      for (let i = 0; i < row.length; i++) row[i] = image.data[i]! * (n === 0 ? 1 : map[pixelOf(i)]!);
    }),
  );
  const [whole, masked] = [scores[0]!, scores[1]!];
  const difference = Math.max(0, whole - masked);
  return {
    score: whole,
    masked,
    drop: difference / (whole + 1e-7),
    difference,
    increase: masked > whole ? 1 : 0,
  };
}
