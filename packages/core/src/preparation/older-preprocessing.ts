import { z } from 'zod';
import type { Preprocessing } from '../image/preprocessing.ts';
import { resamplings } from '../image/resample.ts';

/**
 * Preprocessing as manifests and requests of earlier releases state it: squares only, `scale` as a formula, the filter
 * with a remark after its name. It stays readable, and its statements keep their digest, which stored results contain.
 */

const perChannel = z.array(z.number()).length(3).readonly();

/** The name of Pillow's bilinear filter if no filter was stated. */
const remarked = 'bilinear, antialiased (as PIL)';

const olderSchema = z.object({
  layout: z.enum(['NCHW', 'NHWC']).default('NCHW'),
  channels: z.enum(['RGB', 'BGR']).default('RGB'),
  scale: z
    .string()
    .regex(/^x(\/255)?( .*)?$/, 'expected x/255 or x')
    .default('x/255')
    .transform((scale) => (scale.startsWith('x/255') ? ('x/255' as const) : ('x' as const))),
  mean: perChannel.default([0.485, 0.456, 0.406]),
  std: perChannel.default([0.229, 0.224, 0.225]),
  resize_short_side: z.int().min(1).nullable().default(null),
  resample: z.string().default(remarked),
  center_crop: z.int().min(1).nullable().default(null),
});
type OlderPreprocessing = z.infer<typeof olderSchema>;

/** Tells whether members or their values exist only in the older form. */
export function isOlder(given: unknown): boolean {
  if (typeof given !== 'object' || given === null) return false;
  const { channels, scale, resample } = given as Record<string, unknown>;
  return (
    'resize_short_side' in given ||
    'center_crop' in given ||
    channels === 'RGB' ||
    channels === 'BGR' ||
    typeof scale === 'string' ||
    (typeof resample === 'string' && !(resamplings as readonly string[]).includes(resample))
  );
}

/** Translates the older form to today's members; members that it leaves out are left out. */
export function translated(given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { channels, scale, resample, resize_short_side: short, center_crop: side, ...rest } = given;
  const square = typeof side === 'number' ? [side, side] : null;
  const sized = short !== undefined || side !== undefined;
  return {
    // If only one of the two was stated, the other was not done.
    ...(sized && { size: square, resize: short ?? 'none', crop: square ? null : 'none' }),
    ...rest,
    ...(channels !== undefined && {
      channels: typeof channels === 'string' ? channels.toLowerCase() : channels,
    }),
    ...(scale !== undefined && { scale: scaleOf(scale) }),
    ...(resample !== undefined && { resample: resampleOf(resample) }),
  };
}

const scaleOf = (scale: unknown): unknown => {
  const [, formula] = typeof scale === 'string' ? (/^(x(?:\/255)?)( .*)?$/.exec(scale) ?? []) : [];
  return formula === undefined ? scale : formula === 'x' ? 1 : 1 / 255;
};

/** Converts 'bilinear, antialiased (as PIL)' to 'bilinear'. */
export function resampleOf(resample: unknown): unknown {
  const name = typeof resample === 'string' && /^[a-z-]+/i.exec(resample.trim())?.[0].toLowerCase();
  return resamplings.find((known) => known === name) ?? resample;
}

/** Returns the value to digest: if possible the older form, so that results of earlier releases are found again. */
export function digested(stated: unknown, preprocessing: Preprocessing): unknown {
  const older = stated !== undefined && !hasNewMembers(stated) ? olderSchema.safeParse(stated) : undefined;
  return older?.success ? older.data : (olderForm(preprocessing) ?? preprocessing);
}

const hasNewMembers = (stated: unknown): boolean =>
  typeof stated === 'object' &&
  stated !== null &&
  ['size', 'fit', 'resize', 'crop', 'pad_color'].some((member) => Object.hasOwn(stated, member));

function olderForm(p: Preprocessing): OlderPreprocessing | undefined {
  const square = p.size === null ? null : p.size[0] === p.size[1] ? p.size[0] : undefined;
  const crops = square === null ? p.crop === 'none' : p.crop === null;
  const sides = typeof p.resize === 'number' || p.resize === 'none';
  const colours = p.channels === 'rgb' || p.channels === 'bgr';
  const scaled = p.scale === 1 || p.scale === 1 / 255;
  const threes = p.mean.length === 3 && p.std.length === 3;
  if (square === undefined || !crops || !sides || !colours || !scaled || !threes || p.fit !== 'crop')
    return undefined;
  return {
    layout: p.layout,
    channels: p.channels === 'rgb' ? 'RGB' : 'BGR',
    scale: p.scale === 1 ? 'x' : 'x/255',
    mean: p.mean,
    std: p.std,
    resize_short_side: p.resize === 'none' ? null : (p.resize as number),
    resample: p.resample === 'bilinear' ? remarked : p.resample,
    center_crop: square,
  };
}
