import { z } from 'zod';
import { channelCount, type Preprocessing } from '../image/preprocessing.ts';
import { resamplings } from '../image/resample.ts';
import type { Normalisation } from '../methods/index.ts';
import { isOlder, resampleOf, translated } from './older-preprocessing.ts';

/** The resizing and normalisation with which torchvision's ImageNet classifiers are trained. */
export const imagenet: Preprocessing = {
  layout: 'NCHW',
  channels: 'rgb',
  size: [224, 224],
  fit: 'crop',
  resize: 256,
  crop: null,
  pad_color: [0, 0, 0],
  resample: 'bilinear',
  scale: 1 / 255,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};

/** Preprocessing by name, for `models add --preset`. */
export const presets = {
  imagenet,
  'imagenet-half': { ...imagenet, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
  'imagenet-caffe': { ...imagenet, channels: 'bgr', scale: 1, mean: [104, 117, 123], std: [1, 1, 1] },
} satisfies Record<string, Preprocessing>;

const side = z.int().min(1);
const sides = z.tuple([side, side]).readonly();
const perChannel = z.array(z.number()).min(1).readonly();
const level = z.int().min(0).max(255);

const currentSchema = z
  .object({
    layout: z.enum(['NCHW', 'NHWC']).default('NCHW'),
    channels: z.union([z.enum(['rgb', 'bgr', 'gray', 'rgba']), side]).default('rgb'),
    size: z
      .union([sides, side])
      .nullable()
      .default(null)
      .transform((size) => (typeof size === 'number' ? ([size, size] as const) : size)),
    fit: z.enum(['crop', 'stretch', 'letterbox']).default('crop'),
    resize: z
      .union([side, sides, z.literal('none')])
      .nullable()
      .default(null),
    crop: z
      .union([z.number().positive().max(1), side, sides, z.literal('none')])
      .nullable()
      .default(null),
    pad_color: z.tuple([level, level, level]).readonly().default([0, 0, 0]),
    resample: z.preprocess(resampleOf, z.enum(resamplings)).default('bilinear'),
    scale: z
      .number()
      .positive()
      .default(1 / 255),
    mean: perChannel.default(imagenet.mean),
    std: perChannel.default(imagenet.std),
  })
  .superRefine(({ channels, mean, std }, context) => {
    const count = channelCount(channels);
    for (const [member, values] of Object.entries({ mean, std }))
      if (values.length !== 1 && values.length !== count)
        context.addIssue({
          code: 'custom',
          path: [member],
          message: `expected one number or ${count}, one for each channel, got ${values.length}`,
        });
    if (std.some((value) => !(value > 0)))
      context.addIssue({ code: 'custom', path: ['std'], message: 'expected positive numbers' });
  });

/** Preprocessing as a manifest or request states it, in today's form or an earlier form. */
export const preprocessingSchema = z.preprocess(
  (given) => (isOlder(given) ? translated(given as Record<string, unknown>) : given),
  currentSchema,
);

/** Returns the normalisation for the engine, which tells the values of black and white in the network's input. */
export const normalisationBy = ({ mean, std, scale }: Preprocessing): Normalisation => ({
  mean,
  std,
  white: 255 * scale,
});
