import { z } from 'zod';
import type { Preprocessing, Sides } from '../../image/preprocessing.ts';
import { resamplings } from '../../image/resample.ts';
import { isOlder, resampleOf, translated } from '../older-preprocessing.ts';

const side = z.int().min(1).max(100_000);
const sides = z.tuple([side, side]).readonly();
const numbers = z
  .union([z.number().transform((value) => [value]), z.array(z.number()).min(1).max(4096)], {
    error: 'expected a number, or a list of numbers',
  })
  .readonly();
const level = z.int().min(0).max(255);

/** Reads `#808080` as three numbers, or undefined for another form. */
export function colourOf(text: string): Preprocessing['pad_color'] | undefined {
  const [, red, green, blue] = /^#?([\da-f]{2})([\da-f]{2})([\da-f]{2})$/i.exec(text) ?? [];
  if (red === undefined || green === undefined || blue === undefined) return undefined;
  return [Number.parseInt(red, 16), Number.parseInt(green, 16), Number.parseInt(blue, 16)];
}

const colour = z.string().transform((text, context) => {
  const known = colourOf(text);
  if (!known) context.addIssue('expected a colour such as #808080');
  return known ?? z.NEVER;
});

const membersSchema = z.object({
  layout: z.enum(['NCHW', 'NHWC']).optional(),
  channels: z.union([z.enum(['rgb', 'bgr', 'gray', 'rgba']), z.int().min(1).max(4096)]).optional(),
  size: z
    .union([side.transform((n): Sides => [n, n]), sides], { error: 'expected pixels, or [height, width]' })
    .nullish(),
  fit: z.enum(['crop', 'stretch', 'letterbox']).optional(),
  resize: z
    .union([side, sides, z.literal('none')], { error: 'expected pixels, [height, width] or "none"' })
    .nullish(),
  crop: z
    .union([side, z.number().positive().max(1), sides, z.literal('none')], {
      error: 'expected pixels, a share up to 1, [height, width] or "none"',
    })
    .nullish(),
  pad_color: z.union([z.tuple([level, level, level]).readonly(), colour]).optional(),
  resample: z.preprocess(resampleOf, z.enum(resamplings).optional()),
  scale: z.number().positive().optional(),
  mean: numbers.optional(),
  std: numbers.refine((values) => values.every((value) => value > 0), 'expected numbers above 0').optional(),
});

/**
 * The preprocessing that a manifest states, in members that are spelled like the flags of the command line or in an
 * older form. Members that it leaves out stay out.
 */
export const statedSchema = z.preprocess(
  (given) => (isOlder(given) ? withFit(translated(given as Record<string, unknown>)) : given),
  membersSchema.transform(
    (members): Partial<Preprocessing> =>
      Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)),
  ),
);

/** Adds the fit: older manifests had only one way to fit a photo. */
const withFit = (given: Record<string, unknown>): Record<string, unknown> =>
  'resize' in given ? { fit: 'crop', ...given } : given;
