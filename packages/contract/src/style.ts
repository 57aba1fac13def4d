import { z } from 'zod';

/** The style of an attribution's pictures. It is no part of the question, so a new style needs no new computation. */

export const languages = ['en', 'zh'] as const;
export type Language = (typeof languages)[number];

/** The colour maps of `@whylight/core/drawing`. */
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
    clip_percent_lowerbound: z
      .number()
      .min(0)
      .lt(100)
      .nullable()
      .default(null)
      .describe('The picture hides magnitudes below this percentile, and changes nothing else'),
    clip_percent_upperbound: z
      .number()
      .gt(0)
      .max(100)
      .nullable()
      .default(null)
      .describe('Magnitudes at or above this percentile get the last colour of the colour map'),
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

/**
 * Raise it when the same style gives another picture. It is a member of the style itself, so that a picture of another
 * version has another style: neither the pictures of an earlier run nor an earlier rendering is taken for one of today.
 * What the libraries' own drawing makes has no version (see `styleOf`): it never changes.
 */
export const drawingVersion = '2';

export const styleSchema = z.strictObject({
  visualization: visualizationSchema,
  language: z.enum(languages),
  drawing: z.literal(drawingVersion).optional(),
});
export type Style = z.infer<typeof styleSchema>;

/** The style of the method itself. */
export const ownStyle = (language: Language = 'en'): Style => ({
  visualization: visualizationSchema.parse({}),
  language,
});

/**
 * The style that a request asks for. Pictures of a map in a colour map that the request names are drawn as the libraries
 * draw them, as in every release before; so their style has no version of the drawing.
 *
 * @param isPixels whether the method gives a value for each pixel, and not a map
 */
export function styleOf(visualization: Visualization, language: Language, isPixels: boolean): Style {
  const { color_map, polarity, type, overlay_type } = visualization;
  const { clip_percent_lowerbound: lower, clip_percent_upperbound: upper } = visualization;
  const keepsScaling =
    polarity === null && type === 'pixels' && overlay_type === 'original' && lower === null && upper === null;
  const isOfLibrary = color_map !== null && keepsScaling && !isPixels;
  return { visualization, language, ...(!isOfLibrary && { drawing: drawingVersion }) };
}

/** Part of the key of every rendering. A change of the drawing raises `drawingVersion` instead. */
export const rendererVersion = '1';
