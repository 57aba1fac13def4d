import { z } from 'zod';
import { int64, type Tensor } from '../../tensor.ts';
import type { Samples, Setting } from '../method.ts';
import { type Pixels, slic } from './slic.ts';

export const superpixelParams = {
  segments: z
    .enum(['grid', 'slic'])
    .default('grid')
    .describe(
      'What the features are: cells of the grid, or superpixels of the photo as scikit-image finds them',
    ),
  n_segments: z.int().min(1).max(10_000).default(100).describe('segments=slic: about how many superpixels'),
  compactness: z
    .number()
    .positive()
    .default(10)
    .describe('segments=slic: how much nearness counts beside likeness of colour'),
};

interface SuperpixelParams {
  readonly segments: 'grid' | 'slic';
  readonly n_segments: number;
  readonly compactness: number;
}

/** Makes the function that finds the superpixels of an image [1, C, H, W] as a `feature_mask`, if asked for. */
export function superpixelsOf(
  setting: Setting<SuperpixelParams>,
): ((image: Tensor<'float32'>) => Samples) | undefined {
  const { segments: kind, n_segments: segments, compactness } = setting.parameters;
  if (kind === 'grid') return undefined;
  return (image) => {
    const labels = slic(pixelsOf(image, setting), { segments, compactness });
    return { feature_mask: int64([setting.height, setting.width], Array.from(labels)) };
  };
}

/** Converts an image to photo values, 0 to 1 in steps of 1/255; unchanged if the model's normalisation is unknown. */
function pixelsOf(
  { data }: Tensor<'float32'>,
  { height, width, layout, inputShape, normalisation }: Setting<unknown>,
): Pixels {
  const channels = layout === 'NCHW' ? inputShape[0]! : inputShape[2]!;
  const plane = height * width;
  const at = (pixel: number, c: number) =>
    data[layout === 'NCHW' ? c * plane + pixel : pixel * channels + c]!;
  const { mean = [], std = [], white = 1 } = normalisation ?? {};
  const shown = (value: number, c: number) =>
    normalisation ? Math.round(((value * (std[c] ?? 1) + (mean[c] ?? 0)) / white) * 255) / 255 : value;
  const values = Float64Array.from({ length: plane * channels }, (_, i) =>
    shown(at(Math.floor(i / channels), i % channels), i % channels),
  );
  return { height, width, channels, data: values };
}
