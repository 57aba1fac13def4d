import { float32, type Tensor } from '../../tensor.ts';
import type { Setting } from '../method.ts';
import { edgesOf, felzenszwalb } from './felzenszwalb.ts';

/** The scales of segments, from small to large, as in PAIR's XRAI. */
const scales = [50, 100, 150, 250, 500, 1200];
const sigma = 0.8;

/** Makes masks [M, H, W] of the segments of an image [1, C, H, W] at six scales, each grown by a disk. */
export function segmentsOf(
  image: Tensor<'float32'>,
  setting: Setting<unknown>,
  { least, radius }: { readonly least: number; readonly radius: number },
): Tensor<'float32'> {
  const { height, width } = setting;
  const edges = edgesOf(stretched(image, setting), sigma);
  const labels = scales.map((scale) => felzenszwalb(edges, scale, least));
  const counts = labels.map((map) => map.reduce((most, label) => Math.max(most, label + 1), 0));
  const masks = new Float32Array(counts.reduce((a, b) => a + b) * height * width);
  let first = 0;
  labels.forEach((map, i) => {
    grow(map, { height, width }, radius, masks.subarray(first * height * width));
    first += counts[i]!;
  });
  return float32([first, height, width], masks);
}

/** Scales the image to -1 … 1, [H, W, C], in float32 like PAIR. */
function stretched({ data }: Tensor<'float32'>, { height, width, layout, inputShape }: Setting<unknown>) {
  const channels = layout === 'NCHW' ? inputShape[0]! : inputShape[2]!;
  const low = data.reduce((a, b) => Math.min(a, b));
  const range = Math.fround(data.reduce((a, b) => Math.max(a, b)) - low) || 1;
  const plane = height * width;
  const at = (i: number) => (layout === 'NHWC' ? i : (i % channels) * plane + Math.floor(i / channels));
  const values = Float64Array.from({ length: plane * channels }, (_, i) => {
    const share = Math.fround(Math.fround(data[at(i)]! - low) / range);
    return Math.fround(Math.fround(share * 2) - 1);
  });
  return { height, width, channels, data: values };
}

/** Writes the masks of all labels, one after the other: pixels with a pixel of the label within `radius`. */
function grow(
  labels: Int32Array,
  { height, width }: { readonly height: number; readonly width: number },
  radius: number,
  masks: Float32Array,
): void {
  for (let dy = -radius; dy <= radius; dy++)
    for (let dx = -radius; dx <= radius; dx++) {
      if (dy ** 2 + dx ** 2 > radius ** 2) continue;
      for (let y = Math.max(0, -dy); y < Math.min(height, height - dy); y++)
        for (let x = Math.max(0, -dx); x < Math.min(width, width - dx); x++)
          masks[labels[(y + dy) * width + x + dx]! * height * width + y * width + x] = 1;
    }
}
