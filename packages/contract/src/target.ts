import { z } from 'zod';

import { plainText } from './plain-text.ts';
import { growing } from './wire.ts';

/** The target of an explanation: in a request, in a question and in an answer. */

/** The scores of a class that can be explained: those of `@whylight/core`. */
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
  .meta({ not: { const: 0 } })
  .default(1);

const indexSchema = z.union([z.literal('predicted'), z.int().min(0)]);

const termsSchema = z
  .array(z.strictObject({ class_index: indexSchema, weight: weightSchema }).meta({ id: 'TargetTerm' }))
  .min(1)
  .max(16);

/** The target in a question. Requests may use it as a short form. */
export const targetSchema = z.union([
  z.literal('predicted'),
  z.strictObject({ class_index: z.int().min(0) }),
  z.strictObject({ label: plainText(200) }),
  z
    .strictObject({ terms: termsSchema })
    .describe('A weighted sum of classes. Answers name the sum by its first class'),
]);
export type TargetSpec = z.infer<typeof targetSchema>;

const bothOf = (...names: string[]) => ({
  properties: Object.fromEntries(names.map((name) => [name, {}])),
  required: names,
});

const classTargetSchema = z
  .strictObject({
    type: z.literal('class'),
    index: indexSchema
      .optional()
      .describe(
        'The index of the class, or `predicted`. Give one of `index`, `label` and `terms`; without any the target is `predicted`',
      ),
    label: plainText(200).optional(),
    terms: termsSchema
      .optional()
      .describe('A weighted sum of classes. Answers name the sum by its first class'),
    score: z
      .enum(scoreNames)
      .optional()
      .describe(
        'The score of the class that is explained. Omitted: the default of the method, which for most is the logit',
      ),
  })
  .refine(({ index, label, terms }) => [index, label, terms].filter((one) => one !== undefined).length <= 1, {
    path: ['index'],
    message: 'Expected one of index, label and terms.',
  })
  .meta({
    id: 'ClassTarget',
    not: { anyOf: [bothOf('index', 'label'), bothOf('index', 'terms'), bothOf('label', 'terms')] },
  });

/** The target in a request. */
export const targetRequestSchema = z
  .union([...targetSchema.options, classTargetSchema], {
    error:
      'Expected "predicted", {"class_index": 281}, {"label": "tabby"}, {"terms": [{"class_index": 281}, {"class_index": 282, "weight": -1}]}, ' +
      'or {"type": "class"} with one of "index", "label" and "terms", and with a "score" to choose what is explained.',
  })
  .meta({ id: 'TargetRequest' });
export type TargetRequest = z.output<typeof targetRequestSchema>;

const answeredClassTargetSchema = z
  .object({
    type: z.literal('class'),
    index: z
      .union([z.literal('predicted'), z.int()])
      .optional()
      .describe('Absent if there are `terms`, and while a label waits for the model’s class names'),
    terms: z
      .array(
        z
          .object({ class_index: z.union([z.literal('predicted'), z.int()]), weight: z.number() })
          .meta({ id: 'AnsweredTargetTerm' }),
      )
      .optional(),
    score: growing(scoreNames).describe('The score of the class that is explained'),
  })
  .meta({ id: 'AnsweredClassTarget' });
export type AnsweredClassTarget = z.infer<typeof answeredClassTargetSchema>;

/** The target in an answer. Like every answer it may have members and kinds that the reader does not know (see wire.ts). */
export const answeredTargetSchema = z
  .union([
    z.discriminatedUnion('type', [answeredClassTargetSchema]),
    z
      .object({
        // A class that lacks its members is a fault, and no other kind.
        type: z
          .string()
          .refine((type) => type !== 'class')
          .describe('A kind of target that a later release has'),
        score: z.string().optional(),
      })
      .meta({ id: 'AnsweredOtherTarget' }),
  ])
  .meta({ id: 'AnsweredTarget' });
export type AnsweredTarget = z.infer<typeof answeredTargetSchema>;
