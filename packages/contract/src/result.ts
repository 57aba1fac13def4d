import { z } from 'zod';
import { preprocessingReportSchema } from './preprocessing-report.ts';
import { recordOf } from './record.ts';
import { resultTasks, tasks } from './task.ts';

export const conventions = ['paper', 'torchcam', 'pytorch-grad-cam', 'captum'] as const;

/** A method's parameters by name. */
export const parametersSchema = recordOf(z.string().max(100), z.json()).meta({ additionalProperties: true });

/** Stands for a method in the question of a prediction, which asks for the scores of the network and nothing else. */
export const predictionMethod = 'prediction';
/** The most scores that a prediction keeps. */
export const mostPredictions = 100;

const probabilitySchema = z
  .number()
  .optional()
  .describe(
    'The probability of the class. Absent if the network gives none and no softmax or sigmoid can compute one',
  );
const scoreSchema = z
  .number()
  .nullable()
  .describe(
    'The value that the explanation explains. Null if an earlier release computed the result, which did not keep it',
  );

export const predictionSchema = z.object({
  class_index: z.int(),
  label: z.string(),
  label_zh: z.string().nullable(),
  probability: probabilitySchema,
  score: scoreSchema,
});
export type Prediction = z.infer<typeof predictionSchema>;

/** The target of an explanation that explains a number in place of a class: a part of an output or of a value inside the network. */
export const valueTargetSchema = z.object({
  type: z.enum(['output', 'tensor']),
  name: z.string(),
  /** NumPy's basic slicing, without the axis of the batch: `2,10:20,:`. Empty: all of the value. */
  index: z.string(),
  reduce: z.enum(['sum', 'mean', 'max', 'norm']),
});

/** The target of an explanation that explains a class of a segmenter over a region of its maps. */
export const regionTargetSchema = z.object({
  type: z.literal('region'),
  class: z.int(),
  /** In pixels of the photo: x, y, width and height of a box, or x and y of a point. `mask` is the name of a file. */
  region: z.union([
    z.literal('predicted'),
    z.object({ box: z.tuple([z.number(), z.number(), z.number(), z.number()]) }),
    z.object({ point: z.tuple([z.number(), z.number()]), radius: z.number() }),
    z.object({ mask: z.string() }),
  ]),
  over: z.enum(['sum', 'mean']),
});
export type RegionTarget = z.infer<typeof regionTargetSchema>;

/** `code` is for programs and keeps its meaning; `message` is for people. */
export const warningSchema = z.object({ code: z.string(), message: z.string() });
export type Warning = z.infer<typeof warningSchema>;

export const warningText = ({ code, message }: Warning): string => `${code}: ${message}`;

/**
 * The result of an explanation, as `result.json` holds it. The command line and the worker write the same. For one question
 * it is the same each time, except for `milliseconds`.
 */
export const explanationResultSchema = z.object({
  method: z.string(),
  convention: z.enum(conventions),
  parameters: parametersSchema,
  layers: z.array(z.string()),
  task: z.enum(resultTasks),
  /** The class. If the explanation explains something else, the target also says what, and its `score` is the value of that. */
  target: z.union([
    predictionSchema.extend(valueTargetSchema.shape),
    predictionSchema.extend(regionTargetSchema.shape),
    predictionSchema,
  ]),
  /** The five highest: by probability where there is one, else by score. */
  predictions: z.array(predictionSchema),
  attribution: z.object({
    shape: z.array(z.int()),
    minimum: z.number(),
    maximum: z.number(),
    sum: z.number(),
    convergence_delta: z.number().nullable(),
    /** How far the highest value of the map lay above its lowest before the method scaled the map to 0..1. */
    scale: z.number().nullable().optional(),
  }),
  preprocessing: preprocessingReportSchema,
  /** Where the model's input lies on the upright photo, in photo pixels. */
  input_region: z.object({ x: z.number(), y: z.number(), width: z.number(), height: z.number() }),
  image: z.object({ width: z.int(), height: z.int() }),
  device: z.string(),
  milliseconds: z.object({ decode: z.number(), compute: z.number(), render: z.number() }),
  warnings: z.array(warningSchema),
});
export type ExplanationResult = z.infer<typeof explanationResultSchema>;

/** What the worker reports of a finished computation: the result of an explanation, or of a prediction. */
export const resultSchema = explanationResultSchema.extend({
  /** A job explains a class. */
  task: z.enum(tasks),
  target: predictionSchema,
  /** Null: a prediction has no attribution. */
  attribution: explanationResultSchema.shape.attribution.nullable(),
  /** A prediction does not report it, and earlier releases did not. */
  preprocessing: preprocessingReportSchema.optional(),
});
export type Result = z.infer<typeof resultSchema>;
