import { z } from 'zod';

/** How an attribution is drawn: nothing here is part of the computation, so all of it may change without one. */

export const languages = ['en', 'zh'] as const;
export type Language = (typeof languages)[number];

/** Those of `@whylight/core/image`. */
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

/** Null: as the method's own pictures have it. */
export const visualizationSchema = z
  .strictObject({
    type: z.enum(['pixels', 'outlines']).default('pixels').describe('Areas in colours, or their outlines'),
    polarity: z
      .enum(['positive', 'negative', 'both', 'absolute'])
      .nullable()
      .default(null)
      .describe('Which attributions count: for the class, against it, both in two colours, or by magnitude'),
    color_map: z.enum(colorMaps).nullable().default(null),
    opacity: z.number().gt(0).max(1).nullable().default(null).describe('Of the colours over the photo'),
    clip_percent_lowerbound: percentile.describe(
      'Magnitudes below this percentile are not highlighted at all',
    ),
    clip_percent_upperbound: percentile.describe('Magnitudes from this percentile on have the last colour'),
    overlay_type: z
      .enum(['original', 'grayscale', 'mask_black', 'none'])
      .default('original')
      .describe('What the colours lie on; `mask_black`: the photo itself where it counts, black elsewhere'),
  })
  .refine(
    ({ clip_percent_lowerbound: lower, clip_percent_upperbound: upper }) => (lower ?? 0) < (upper ?? 100),
    { path: ['clip_percent_lowerbound'], message: 'Expected less than clip_percent_upperbound.' },
  )
  .meta({ id: 'Visualization' });
export type Visualization = z.output<typeof visualizationSchema>;

/** The same as an answer repeats it: open to growth, as every answer is (see wire.ts). */
export const answeredVisualizationSchema = z
  .object(visualizationSchema.shape)
  .meta({ id: 'AnsweredVisualization' });

export const styleSchema = z.strictObject({
  visualization: visualizationSchema,
  language: z.enum(languages),
});
export type Style = z.infer<typeof styleSchema>;

/** Pictures as the method itself has them drawn. */
export const ownStyle = (language: Language = 'en'): Style => ({
  visualization: visualizationSchema.parse({}),
  language,
});

/** Changes when the same style gives another picture. */
export const rendererVersion = '1';
