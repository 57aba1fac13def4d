import { z } from 'zod';
import { mostPredictions, predictionSchema, warningSchema } from '../result.ts';
import { tasks } from '../task.ts';
import { growing, sha256 } from '../wire.ts';
import { modelReferenceSchema, photoSchema } from './explanations.ts';

export const predictionRequestSchema = z
  .strictObject({
    input: photoSchema,
    model: modelReferenceSchema,
    top_k: z.int().min(1).max(mostPredictions).default(5),
  })
  .meta({ id: 'PredictionRequest' });

export type PredictionRequest = z.input<typeof predictionRequestSchema>;

export const predictionsSchema = z
  .object({
    object: z.literal('predictions'),
    input: z.object({ sha256 }),
    model: z.object({ id: z.string(), name: z.string(), digest: z.string() }),
    task: growing(tasks),
    predictions: z
      .array(predictionSchema)
      .describe(
        'The most likely class comes first. If the network gives no probabilities, the highest score comes first',
      ),
    cache: z.object({ status: growing(['miss', 'hit', 'collapsed', 'bypass']), key: z.string() }),
    warnings: z.array(warningSchema),
    request_id: z.string(),
  })
  // A class `Predictions` with a member `predictions` is no valid Python of openapi-python-client.
  .meta({ id: 'PhotoPredictions' });

export type Predictions = z.infer<typeof predictionsSchema>;
