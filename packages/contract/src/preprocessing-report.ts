import { z } from 'zod';

/**
 * How the input of a network was made from the photo: the value of each part of the preprocessing, and who stated it. The
 * parts are those of `preprocessingSchema` (models.ts), resolved: here none is left out and none has an older spelling.
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
  /** How many class names there are; null where the classes have none. */
  labels: sourced(z.number()).nullable(),
});
export type PreprocessingReport = z.infer<typeof preprocessingReportSchema>;
