import { type Preprocessing, resamplings, type Sides } from '@whylight/core/image';
import { z } from 'zod';

const side = z.int().min(1).max(100_000);
const sides = z.tuple([side, side]).readonly();
const numbers = z.union([z.number().transform((value) => [value]), z.array(z.number()).min(1).max(4096)]).readonly();
const level = z.int().min(0).max(255);

/** `#808080` as three numbers. @returns undefined for another form */
export function colourOf(text: string): Preprocessing['pad_color'] | undefined {
  const [, red, green, blue] = /^#?([\da-f]{2})([\da-f]{2})([\da-f]{2})$/i.exec(text) ?? [];
  if (red === undefined || green === undefined || blue === undefined) return undefined;
  return [Number.parseInt(red, 16), Number.parseInt(green, 16), Number.parseInt(blue, 16)];
}

const filterIn = new RegExp(`^(${resamplings.join('|')})(?![\\w-])`, 'i');

/** Members as the command line's flags are spelled, and those of older manifests; none need be there. */
const membersSchema = z.object({
  layout: z.enum(['NCHW', 'NHWC']).optional(),
  channels: z
    .union([
      z.enum(['rgb', 'bgr', 'gray', 'rgba']),
      z.enum(['RGB', 'BGR']).transform((name) => name.toLowerCase() as 'rgb' | 'bgr'),
      z.int().min(1).max(4096),
    ])
    .optional(),
  size: z.union([side.transform((n): Sides => [n, n]), sides]).nullish(),
  fit: z.enum(['crop', 'stretch', 'letterbox']).optional(),
  resize: z.union([side, sides, z.literal('none')]).nullish(),
  crop: z
    .union([side, z.number().positive().max(1), sides, z.literal('none')])
    .nullish(),
  pad_color: z
    .union([
      z.tuple([level, level, level]).readonly(),
      z.string().transform((text, context) => {
        const colour = colourOf(text);
        if (!colour) context.addIssue('expected a colour such as #808080');
        return colour ?? z.NEVER;
      }),
    ])
    .optional(),
  resample: z
    .string()
    .transform((text, context) => {
      const name = filterIn.exec(text.trim())?.[1]?.toLowerCase();
      if (!name) context.addIssue(`expected one of ${resamplings.join(', ')}`);
      return (name as Preprocessing['resample']) ?? z.NEVER;
    })
    .optional(),
  scale: z
    .union([
      z.number().positive(),
      z
        .string()
        .regex(/^x(\/255)?( .*)?$/, 'expected a number, x/255 or x')
        .transform((text) => (text.startsWith('x/255') ? 1 / 255 : 1)),
    ])
    .optional(),
  mean: numbers.optional(),
  std: numbers.refine((values) => values.every((value) => value > 0), 'expected numbers above 0').optional(),
  resize_short_side: side.nullish(),
  center_crop: side.nullish(),
});

/** What a manifest says of preprocessing, in today's form or an older one; what it leaves out stays out. */
export const statedSchema = membersSchema.transform(
  ({ resize_short_side, center_crop, ...members }): Partial<Preprocessing> => {
    const older = geometryOf(resize_short_side, center_crop);
    const stated = Object.entries({ ...older, ...members }).filter(([, value]) => value !== undefined);
    return Object.fromEntries(stated);
  },
);

/** In older manifests a side that is not there is one that is not changed, where the other one is there. */
function geometryOf(
  short: number | null | undefined,
  crop: number | null | undefined,
): Partial<Preprocessing> {
  if (short === undefined && crop === undefined) return {};
  return {
    fit: 'crop',
    resize: short ?? 'none',
    crop: crop ?? 'none',
    size: crop ? [crop, crop] : null,
  };
}
