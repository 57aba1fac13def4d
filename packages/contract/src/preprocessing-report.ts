import { z } from 'zod';

/**
 * A report on the preprocessing of a photo for a network: the value of each part, and who stated it. The parts are
 * those of `preprocessingSchema` (models.ts), resolved: every part is present, and no part has an older spelling.
 */

const sourced = <T extends z.ZodType>(value: T) =>
  z.object({
    value,
    from: z
      .string()
      .describe(
        'Who stated the value: `option`, `manifest`, the name of a file, `metadata`, `graph`, `file` (the model’s own), `preset` or `assumed`',
      ),
  });

const sides = z.tuple([z.number(), z.number()]).readonly();
const perChannel = z.array(z.number()).readonly();

export const preprocessingReportSchema = z.object({
  layout: sourced(z.enum(['NCHW', 'NHWC'])),
  channels: sourced(z.union([z.enum(['rgb', 'bgr', 'gray', 'rgba']), z.number()])),
  size: sourced(sides.nullable()),
  fit: sourced(z.enum(['crop', 'stretch', 'letterbox'])),
  resize: sourced(z.union([z.number(), sides, z.literal('none')]).nullable()),
  crop: sourced(z.union([z.number(), sides, z.literal('none')]).nullable()),
  pad_color: sourced(z.tuple([z.number(), z.number(), z.number()]).readonly()),
  resample: sourced(
    z.enum(['nearest', 'box', 'bilinear', 'hamming', 'bicubic', 'lanczos', 'cv-bilinear', 'cv-area']),
  ),
  scale: sourced(z.number()),
  mean: sourced(perChannel),
  std: sourced(perChannel),
  /** Number of class names; null if the classes have no names. */
  labels: sourced(z.number()).nullable(),
});
export type PreprocessingReport = z.infer<typeof preprocessingReportSchema>;
