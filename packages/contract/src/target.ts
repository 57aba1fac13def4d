import { z } from 'zod';

/** What is explained: as somebody asks for it, as a question holds it, and as an answer repeats it. */

/** What of a class is explained; those of `@whylight/core`. */
export const scoreNames = [
  'logit',
  'probability',
  'log-probability',
  'log-odds',
  'output',
  'rest',
  'softmax',
  'log-softmax',
] as const;
export type ScoreName = (typeof scoreNames)[number];

const weightSchema = z
  .number()
  .min(-1_000)
  .max(1_000)
  .refine((weight) => weight !== 0, 'Expected a weight other than 0.')
  .default(1);

const indexSchema = z.union([z.literal('predicted'), z.int().min(0)]);

const termsSchema = z
  .array(z.strictObject({ class_index: indexSchema, weight: weightSchema }))
  .min(1)
  .max(16);

/** As a question holds it, and as requests may say it in short. */
export const targetSchema = z.union([
  z.literal('predicted'),
  z.strictObject({ class_index: z.int().min(0) }),
  z.strictObject({ label: z.string().min(1).max(200) }),
  z
    .strictObject({ terms: termsSchema })
    .describe('A weighted sum of classes; the first one named stands for it'),
]);
export type TargetSpec = z.infer<typeof targetSchema>;

const classTargetSchema = z
  .strictObject({
    type: z.literal('class'),
    index: indexSchema.optional().describe('Omitted, with `label` and `terms`: `predicted`'),
    label: z.string().min(1).max(200).optional(),
    terms: termsSchema.optional().describe('A weighted sum of classes; the first one named stands for it'),
    score: z
      .enum(scoreNames)
      .optional()
      .describe('What of the class is explained; omitted: the method’s own, mostly the logit'),
  })
  .refine(({ index, label, terms }) => [index, label, terms].filter((one) => one !== undefined).length <= 1, {
    path: ['index'],
    message: 'Expected one of index, label and terms.',
  });

/** As somebody asks for it. */
export const targetRequestSchema = z.union([...targetSchema.options, classTargetSchema]);
export type TargetRequest = z.output<typeof targetRequestSchema>;

/** A target as an answer repeats it: open to growth, as every answer is (see wire.ts). */
export const answeredTargetSchema = z.object({
  type: z.literal('class'),
  index: z
    .union([z.literal('predicted'), z.int()])
    .optional()
    .describe('Absent where there are `terms`'),
  terms: z
    .array(z.object({ class_index: z.union([z.literal('predicted'), z.int()]), weight: z.number() }))
    .optional(),
  score: z.string().describe('What of the class is explained'),
});
export type AnsweredTarget = z.infer<typeof answeredTargetSchema>;
