import { z } from 'zod';
import { modelSchema } from '../models.ts';
import { conventions, parametersSchema } from '../result.ts';
import { page } from '../wire.ts';

export const methodSchema = z
  .object({
    id: z.string(),
    object: z.literal('method'),
    title: z.string(),
    summary: z.string(),
    paper: z.string(),
    version: z.string(),
    kind: z.enum(['map', 'pixels']),
    requires: z.array(z.enum(['gradients', 'target_layer', 'attention'])),
    conventions: z.array(z.enum(conventions)),
    parameters: parametersSchema.describe('JSON Schema of the parameters'),
    cost: z
      .object({ formula: z.string(), default_units: z.int() })
      .describe('Compute units: in words of the parameters, and with their defaults at 224 by 224 pixels'),
    works: z
      .boolean()
      .nullable()
      .describe(
        'On the model asked for with ?model=: true, it ran; false; null, it was not run. Null without a model',
      ),
    reason: z.string().nullable().describe('Why it does not work, or was not run'),
  })
  .meta({ id: 'Method' });

export const methodListSchema = page(methodSchema).meta({ id: 'MethodList' });

export type MethodList = z.infer<typeof methodListSchema>;

export const modelListSchema = page(modelSchema).meta({ id: 'ModelList' });

export type ModelList = z.infer<typeof modelListSchema>;
