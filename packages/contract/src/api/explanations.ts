import { z } from 'zod';
import { artifactNames, jobErrorSchema } from '../job.ts';
import { recordOf } from '../record.ts';
import { conventions, parametersSchema, predictionSchema, warningSchema } from '../result.ts';
import { answeredVisualizationSchema, languages, visualizationSchema } from '../style.ts';
import { answeredTargetSchema, targetRequestSchema } from '../target.ts';
import { tasks } from '../task.ts';
import { page, sha256, time } from '../wire.ts';

export const photoSchema = z.union([
  z.strictObject({ upload: z.string().max(40) }),
  z.strictObject({ sha256: sha256.describe('Bytes that this tenant has uploaded') }),
]);

export const modelReferenceSchema = z
  .string()
  .min(1)
  .max(200)
  .optional()
  .describe('Name, id, or name@sha256:…; omitted: the default model');

/** Seconds for which a result is kept, at least, at most, and unless said otherwise. */
export const retention = { least: 3_600, most: 31_536_000, usual: 2_592_000 } as const;

export const explanationRequestSchema = z
  .strictObject({
    input: photoSchema,
    model: modelReferenceSchema,
    method: z.string().min(1).max(100),
    target: targetRequestSchema.default('predicted'),
    parameters: parametersSchema.default({}),
    convention: z.enum(conventions).default('paper'),
    layers: z.array(z.string().min(1).max(500)).max(16).default([]),
    language: z.enum(languages).default('en'),
    output: z
      .strictObject({ visualization: visualizationSchema.prefault({}) })
      .prefault({})
      .describe('How the pictures are drawn; changes nothing of what is computed'),
    retention_seconds: z
      .int()
      .min(retention.least)
      .max(retention.most)
      .default(retention.usual)
      .describe('How long the result is kept, from now on'),
    metadata: recordOf(z.string().min(1).max(40), z.string().max(500))
      .refine((entries) => Object.keys(entries).length <= 16, 'Expected at most 16 entries.')
      .default({})
      .meta({ default: {} })
      .describe('Yours: kept with the explanation, and no part of the question'),
    webhook: z.string().max(40).optional().describe('Id of the endpoint that is told when it has ended'),
  })
  .meta({ id: 'ExplanationRequest' });

/** As a client writes it: defaults may be omitted. */
export type ExplanationRequest = z.input<typeof explanationRequestSchema>;

/** As the gateway reads it: defaults filled in. */
export type ExplanationAsked = z.output<typeof explanationRequestSchema>;

export const artifactLinkSchema = z.object({
  name: z.enum(artifactNames),
  url: z.string().describe('Path on this API; answers 302 to a signed URL'),
  sha256,
  bytes: z.int(),
  content_type: z.string(),
});

export type ArtifactLink = z.infer<typeof artifactLinkSchema>;

export const artifactUrlSchema = z
  .object({ url: z.string().describe('Signed: send no key there'), expires_at: time })
  .meta({ id: 'ArtifactUrl' });

export const explanationStatuses = [
  'queued',
  'processing',
  'succeeded',
  'failed',
  'canceled',
  'aborted',
] as const;

export const explanationSchema = z
  .object({
    id: z.string(),
    object: z.literal('explanation'),
    status: z
      .enum(explanationStatuses)
      .describe(
        '`canceled`: on demand, or at its deadline; `aborted`: at its deadline, before anything was done',
      ),
    created_at: time,
    started_at: time.nullable(),
    completed_at: time.nullable(),
    input: z.object({ sha256 }),
    model: z.object({ id: z.string(), name: z.string(), digest: z.string() }),
    method: z.string(),
    method_version: z.string(),
    convention: z.enum(conventions),
    parameters: parametersSchema.describe('Every parameter of the method, defaults filled in'),
    layers: z.array(z.string()),
    target: answeredTargetSchema,
    language: z.enum(languages),
    cache: z.object({
      status: z.enum(['miss', 'hit', 'collapsed', 'bypass']),
      key: z.string(),
    }),
    output: z.object({ visualization: answeredVisualizationSchema }),
    metadata: recordOf(z.string(), z.string()),
    progress: z.object({ completed: z.int(), total: z.int() }).nullable(),
    task: z.enum(tasks).nullable().describe('What the network decides; null until it has been asked'),
    predictions: z.array(predictionSchema),
    attributions: z.array(
      z.object({
        output_index: z.int(),
        output_display_name: z.string(),
        output_display_name_zh: z.string().nullable(),
        probability: predictionSchema.shape.probability,
        score: predictionSchema.shape.score,
        shape: z.array(z.int()),
        minimum: z.number(),
        maximum: z.number(),
        attribution_sum: z.number(),
        convergence_delta: z.number().nullable(),
        image: z.object({ width: z.int(), height: z.int() }),
        input_region: z
          .object({ x: z.number(), y: z.number(), width: z.number(), height: z.number() })
          .describe('Where the network looked, in pixels of the upright photo'),
        artifacts: z.object({
          overlay: artifactLinkSchema,
          heatmap: artifactLinkSchema,
          attribution: artifactLinkSchema,
          result: artifactLinkSchema,
        }),
      }),
    ),
    metrics: z
      .object({
        queue_ms: z.number(),
        decode_ms: z.number(),
        compute_ms: z.number(),
        render_ms: z.number(),
        device: z.string(),
      })
      .nullable(),
    warnings: z.array(warningSchema),
    error: jobErrorSchema.nullable(),
    expires_at: time.describe('Until when the result is kept, if it is not deleted before'),
    expired: z.boolean().describe('Whether the result was there and has been deleted'),
    urls: z.object({ self: z.string(), cancel: z.string(), events: z.string() }),
    request_id: z.string().describe('Of the request that created it'),
  })
  .meta({ id: 'Explanation' });

export type Explanation = z.infer<typeof explanationSchema>;

export const explanationListSchema = page(explanationSchema).meta({ id: 'ExplanationList' });

export type ExplanationList = z.infer<typeof explanationListSchema>;
