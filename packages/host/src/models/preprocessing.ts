import type { Classifier, Warning } from '@whylight/core';
import type { Preprocessing } from '@whylight/core/image';
import type { Normalisation } from '@whylight/core/methods';
import { z } from 'zod';

const perChannel = z.array(z.number()).length(3).readonly();

/** Resizing and normalisation as torchvision's ImageNet classifiers are trained. */
export const imagenet: Preprocessing = {
  layout: 'NCHW',
  channels: 'RGB',
  scale: 'x/255',
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
  resize_short_side: 256,
  resample: 'bilinear, antialiased (as PIL)',
  center_crop: 224,
};

/** The warning of answers by a model whose preprocessing is a guess. */
export const assumedWarning: Warning = {
  code: 'preprocessing_assumed',
  message: "nothing says how the model's input is made; taken as for ImageNet, at the network's size",
};

/** Preprocessing by name, for `models add --preset`. */
export const presets = {
  imagenet,
  'imagenet-half': { ...imagenet, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
  'imagenet-caffe': { ...imagenet, channels: 'BGR', scale: 'x', mean: [104, 117, 123], std: [1, 1, 1] },
} satisfies Record<string, Preprocessing>;

export const preprocessingSchema = z.object({
  layout: z.enum(['NCHW', 'NHWC']).default('NCHW'),
  channels: z.enum(['RGB', 'BGR']).default('RGB'),
  scale: z
    .string()
    .regex(/^x(\/255)?( .*)?$/, 'expected x/255 or x')
    .default('x/255')
    .transform((scale) => (scale.startsWith('x/255') ? ('x/255' as const) : ('x' as const))),
  mean: perChannel.default(imagenet.mean),
  std: perChannel.default(imagenet.std),
  resize_short_side: z.int().min(1).nullable().default(null),
  resample: z.string().default(imagenet.resample),
  center_crop: z.int().min(1).nullable().default(null),
});

/** The shape of one input that preprocessing makes, or undefined where it depends on the photo. */
export function inputShapeOf({ layout, center_crop: side }: Preprocessing): number[] | undefined {
  if (side === null) return undefined;
  return layout === 'NCHW' ? [3, side, side] : [side, side, 3];
}

/** The manifest's preprocessing; where it says nothing, ImageNet's at the network's size, with the same margin cropped away. */
export function preprocessingFor(
  {
    assumed,
    manifest,
  }: { readonly assumed: boolean; readonly manifest: { readonly preprocessing: Preprocessing } },
  { inputShape, layout }: Pick<Classifier, 'inputShape' | 'layout'>,
): Preprocessing {
  if (!assumed) return manifest.preprocessing;
  const side = layout === 'NCHW' ? inputShape[1]! : inputShape[0]!;
  return { ...imagenet, layout, resize_short_side: Math.round((side * 256) / 224), center_crop: side };
}

/** What the engine is told of it, for what is black or white in the network's input. */
export const normalisationBy = ({ mean, std, scale }: Preprocessing): Normalisation => ({
  mean,
  std,
  white: scale === 'x' ? 255 : 1,
});
