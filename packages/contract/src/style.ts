import { z } from 'zod';

/** The style of an attribution's pictures. It is no part of the question, so a new style needs no new computation. */

export const languages = ['en', 'zh'] as const;
export type Language = (typeof languages)[number];

/** The colour maps of `@whylight/core/image`. */
export const colorMaps = [
  'jet',
  'opencv-jet',
  'viridis',
  'gray',
  'custom-blue',
  'RdWhGn',
  'Greens',
  'Reds',
  'Blues',
] as const;

const percentile = z.number().min(0).max(100).nullable().default(null);

/** Null means: the method's own default. */
export const visualizationSchema = z
  .strictObject({
    type: z
      .enum(['pixels', 'outlines'])
      .default('pixels')
      .describe('`pixels` colours the areas that count; `outlines` draws a line around them'),
    polarity: z
      .enum(['positive', 'negative', 'both', 'absolute'])
      .nullable()
      .default(null)
      .describe(
        'Which attributions the picture shows: those for the class (`positive`), those against it (`negative`), both in two colours, or the magnitude of all (`absolute`). Null: as the method shows them',
      ),
    color_map: z.enum(colorMaps).nullable().default(null),
    opacity: z
      .number()
      .gt(0)
      .max(1)
      .nullable()
      .default(null)
      .describe(
        'Weight of the colours over the photo, above 0 and up to 1. Null: the weight that the method uses',
      ),
    clip_percent_lowerbound: percentile.meta({ exclusiveMaximum: 100 }).describe(
      'The picture does not highlight magnitudes below this percentile',
    ),
    clip_percent_upperbound: percentile.meta({ exclusiveMinimum: 0 }).describe(
      'Magnitudes at or above this percentile get the last colour of the colour map',
    ),
    overlay_type: z
      .enum(['original', 'grayscale', 'mask_black', 'none'])
      .default('original')
      .describe(
        'The background of the colours. `mask_black` shows the photo where the attribution counts and black elsewhere',
      ),
  })
  .refine(
    ({ clip_percent_lowerbound: lower, clip_percent_upperbound: upper }) => (lower ?? 0) < (upper ?? 100),
    { path: ['clip_percent_lowerbound'], message: 'Expected less than clip_percent_upperbound.' },
  )
  .meta({ id: 'Visualization' });
export type Visualization = z.output<typeof visualizationSchema>;

/** A visualization in an answer. Like every answer it may have members that the reader does not know (see wire.ts). */
export const answeredVisualizationSchema = z
  .object(visualizationSchema.shape)
  .meta({ id: 'AnsweredVisualization' });

export const styleSchema = z.strictObject({
  visualization: visualizationSchema,
  language: z.enum(languages),
});
export type Style = z.infer<typeof styleSchema>;

/** The style of the method itself. */
export const ownStyle = (language: Language = 'en'): Style => ({
  visualization: visualizationSchema.parse({}),
  language,
});

/** Raise it when the same style gives another picture. */
export const rendererVersion = '1';
