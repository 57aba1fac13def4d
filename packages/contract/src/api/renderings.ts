import { z } from 'zod';
import { warningSchema } from '../result.ts';
import { answeredVisualizationSchema, languages, visualizationSchema } from '../style.ts';
import { growing } from '../wire.ts';
import { artifactLinkSchema } from './explanations.ts';

export const renderingRequestSchema = z
  .strictObject({
    visualization: visualizationSchema.prefault({}),
    language: z
      .enum(languages)
      .optional()
      .describe('Language of the captions. Omitted: the language of the explanation'),
  })
  .meta({ id: 'RenderingRequest' });

export type RenderingRequest = z.input<typeof renderingRequestSchema>;

export const renderingSchema = z
  .object({
    object: z.literal('rendering'),
    explanation: z.string(),
    visualization: answeredVisualizationSchema,
    language: growing(languages),
    cache: z.object({ status: growing(['miss', 'hit']), key: z.string() }),
    artifacts: z.object({ overlay: artifactLinkSchema, heatmap: artifactLinkSchema }),
    warnings: z.array(warningSchema),
  })
  .meta({ id: 'Rendering' });

export type Rendering = z.infer<typeof renderingSchema>;
