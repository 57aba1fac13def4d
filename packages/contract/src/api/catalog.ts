import { z } from 'zod';
import { answeredMethodIdSchema } from '../method-id.ts';
import { modelSchema } from '../models.ts';
import { conventions, parametersSchema } from '../result.ts';
import { growing, page } from '../wire.ts';

export const methodSchema = z
  .object({
    id: answeredMethodIdSchema,
    object: z.literal('method'),
    title: z.string(),
    summary: z.string(),
    paper: z.string(),
    version: z.string(),
    kind: growing(['map', 'pixels']),
    requires: z.array(growing(['gradients', 'target_layer', 'attention'])),
    conventions: z.array(growing(conventions)),
    parameters: parametersSchema.describe('JSON Schema of the parameters of the method'),
    cost: z
      .object({ formula: z.string(), default_units: z.int() })
      .describe(
        'Compute units of one explanation: a formula in the parameters, and its value for the defaults at 224 by 224 pixels',
      ),
    works: z
      .boolean()
      .nullable()
      .describe(
        'True if the method ran on the model of `?model=`, false if it failed, null if the service did not run it or the request names no model',
      ),
    reason: z.string().nullable().describe('Why the method failed, or why the service did not run it'),
  })
  .meta({ id: 'Method' });

export const methodListSchema = page(methodSchema).meta({ id: 'MethodList' });

export type MethodList = z.infer<typeof methodListSchema>;

export const modelListSchema = page(modelSchema).meta({ id: 'ModelList' });

export type ModelList = z.infer<typeof modelListSchema>;
